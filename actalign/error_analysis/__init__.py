"""Why predictions fail (paper, Section 4): what is measured of a clip, the modes it is sorted into, and tables of them.

``criteria`` measures one question, ``clip_factors`` a data set, ``modes`` sorts wrong predictions, ``breakdowns`` bins
accuracy over what may explain it, ``tables`` puts all of it into words.
"""
