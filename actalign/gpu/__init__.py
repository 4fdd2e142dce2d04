"""The stage between embeddings and scores on a CUDA device, for many clips in a few launches.

The same method as :mod:`actalign.stage`, and where there is no device the same code.
"""

from actalign.gpu.scoring import score_clips

__all__ = ["score_clips"]
