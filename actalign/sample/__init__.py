"""The embedded sample: a world of eight drawn sports, and the SigLIP checkpoint trained to see it.

Nothing here is needed to use the toolkit on real videos. ``python -m actalign.sample.render`` draws clips,
``python -m actalign.sample.train`` trains the checkpoint, ``python -m actalign.sample.build`` writes
``data/sample``.
"""
