"""Alignment of frames with an ordered script by dynamic time warping (paper, section 3, Eq. 10-13).

``align`` gives one matrix's score with its path, ``scores`` gives the scores of many matrices and no paths.
``actalign.dtw.reference`` is the same method in plain loops; both agree with it bit for bit.

>>> align([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]]).path.shape
(4, 2)
>>> scores([[[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]], [[0.5]]]).shape
(2,)
"""

from actalign.dtw.alignment import align
from actalign.dtw.batch import Evidence, Totals, scores, script_scores, totals

__all__ = ["Evidence", "Totals", "align", "scores", "script_scores", "totals"]
