"""95% intervals: Wilson's for a count, and a bootstrap over families of clips that stand or fall together."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from actalign.arrays import as_count
from actalign.errors import ActAlignError

LEVEL = 0.95
CELLS_PER_CHUNK = 2_000_000  # resample x family weights held at once: 16 MB


def wilson(k: int, n: int) -> tuple[float, float]:
    """95% Wilson score interval of the proportion k / n, as two proportions in [0, 1].

    For a count alone, as of published rows, or where all clips agree; it takes the clips as independent.

    Raises:
        ActAlignError: not 0 <= k <= n with n of at least 1.

    >>> low, high = wilson(274, 898)
    >>> print(f"{100 * low:.1f}-{100 * high:.1f}")
    27.6-33.6
    """
    if not 0 <= k <= n or n < 1:
        raise ActAlignError(f"{k} of {n} is not a count of successes; k must be 0 to n, and n 1 or more")
    z = float(norm.ppf((1 + LEVEL) / 2))
    share, shrink = k / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    return (centre - half if k > 0 else 0.0, centre + half if k < n else 1.0)


def cluster_interval(
    values_nm: NDArray[np.float64], clusters: Sequence[str], *, seed: int = 0, resamples: int = 10_000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% percentile bootstrap interval of the mean of each column, whole clusters drawn with replacement.

    A resample draws as many clusters as there are; its mean is over the clips of those drawn. The interval is
    too narrow with few clusters (a sport of 8 families) and has no width where all clips agree.

    Args:
        values_nm: (n, m) one row per clip.
        clusters: (n,) the cluster of each clip.
        seed: the same seed and data give the same interval.
        resamples: how many.

    Returns:
        low (m,) and high (m,); NaN where there is only one cluster, which says nothing about the spread.

    Raises:
        ActAlignError: no rows, a cluster missing, or ``seed`` or ``resamples`` is no count.

    >>> low, high = cluster_interval(np.array([[1.0], [1.0], [0.0], [0.0]]), ["a", "a", "b", "b"])
    >>> low.item(), high.item()
    (0.0, 1.0)
    """
    values = np.asarray(values_nm, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(clusters) or not len(values):
        raise ActAlignError(f"a bootstrap needs one cluster per row; got {len(clusters)} for values {values.shape}")
    resamples = as_count(resamples, name="resamples", least=1)
    known, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    count = len(known)
    if count < 2:
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, codes, values)
    sizes = np.bincount(codes, minlength=count)
    rng = np.random.default_rng(as_count(seed, name="seed", least=0))
    step = max(1, CELLS_PER_CHUNK // count)
    means = []
    for start in range(0, resamples, step):
        weights = rng.multinomial(count, np.full(count, 1 / count), size=min(step, resamples - start))
        means.append((weights @ sums) / (weights @ sizes)[:, None])
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
