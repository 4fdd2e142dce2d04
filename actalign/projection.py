"""Texts in the plane (paper, Fig. 5): where t-SNE puts them, how far that can be believed, and how sports separate.

A t-SNE keeps some neighbours and no distances, and its start decides much of the picture. So the map that is shown is
held against maps from other starts, and what is claimed about sports is measured in the embedding space itself.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t
from tqdm import tqdm

from actalign.arrays import as_count
from actalign.errors import ActAlignError
from actalign.progress import is_watched
from actalign.similarity import unit

NEIGHBOURS = 10
RESTARTS = 10
JACKKNIFE_GROUPS = 200
PERPLEXITY = 30.0
SAME_DIRECTION = 1e-12
"""Unit rows that differ by less in every column are one point, of which scikit-learn's t-SNE makes no map."""
Start = Literal["pca", "random"]


def project_tsne(
    embeddings: NDArray[Any], *, seed: int, perplexity: float = PERPLEXITY, start: Start = "pca"
) -> NDArray[np.float64]:
    """Points (N, 2) of a t-SNE of ``embeddings`` (N, d) by cosine distance; same seed, same points.

    From a PCA start the seed hardly matters, since the start is the data's own; from a random one it decides the map.
    It runs on one thread: sums in another order would move every point.

    Raises:
        ActAlignError: not a finite (N, d) matrix, d below 2, ``perplexity`` not below N, or ``seed`` is no count.

    >>> project_tsne(np.eye(6), seed=0, perplexity=2).shape
    (6, 2)
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    rows = unit(embeddings)
    if rows.shape[1] < 2:
        raise ActAlignError(f"embeddings of shape {rows.shape} are points on a line already; there is no map of them")
    if not 0 < perplexity < len(rows):
        raise ActAlignError(f"perplexity {perplexity} must be above 0 and below the {len(rows)} texts; change it")
    if np.ptp(rows, axis=0).max() < SAME_DIRECTION:
        raise ActAlignError(f"the {len(rows)} embeddings all point one way, so there is no map of them; give others")
    # Between unit rows the Euclidean distance orders pairs as the cosine does.
    with threadpool_limits(limits=1):
        points = TSNE(
            perplexity=perplexity, init=start, random_state=as_count(seed, name="seed", least=0)
        ).fit_transform(rows)
    return np.asarray(points, dtype=np.float64)


def neighbours_kept(first_nd: NDArray[Any], second_nd: NDArray[Any], *, neighbours: int = NEIGHBOURS) -> float:
    """Share of each row's nearest rows in ``first_nd`` that are its nearest in ``second_nd`` too, on average: 0 to 1.

    Both hold the same N things, (N, d) and (N, e), by Euclidean distance. Two unrelated maps share
    ``neighbours / (N - 1)``. Where there are fewer other rows than ``neighbours``, all count, and the share is 1.

    Raises:
        ActAlignError: not as many rows in both, fewer than 2, or ``neighbours`` below 1.

    >>> line = np.arange(5.0)[:, None]
    >>> neighbours_kept(line, -3 * line, neighbours=1)
    1.0
    """
    from sklearn.neighbors import NearestNeighbors

    if len(first_nd) != len(second_nd) or len(first_nd) < 2 or neighbours < 1:
        raise ActAlignError(
            f"{len(first_nd)} and {len(second_nd)} rows, {neighbours} neighbours: give the same 2 rows or more, and 1 "
            "neighbour or more"
        )
    count = min(neighbours, len(first_nd) - 1)
    near = [
        NearestNeighbors(n_neighbors=count).fit(rows).kneighbors(return_distance=False)
        for rows in (first_nd, second_nd)
    ]
    shared = [len(set(first) & set(second)) for first, second in zip(*near, strict=True)]
    return float(np.mean(shared) / count)


def stability(
    embeddings: NDArray[Any],
    points_n2: NDArray[Any],
    sports: Sequence[str],
    *,
    seed: int,
    perplexity: float = PERPLEXITY,
    restarts: int = RESTARTS,
    neighbours: int = NEIGHBOURS,
) -> pd.DataFrame:
    """The map that is shown, ``points_n2`` (N, 2), against ``restarts`` maps from random starts: do they agree?

    Equal embeddings count once as neighbours: a text that several sports share is one place, not several.

    Args:
        embeddings: (N, d), what the map was made of by ``project_tsne`` with this ``seed`` and ``perplexity``.
        sports: (N,) the sport of each row.
        seed: of the first random start; each further one has the next.
        neighbours: how many nearest rows are compared.

    Returns:
        One row per map, the shown one first: start ("pca" or "random"), seed, kept_of_map (share of the shown map's
        neighbours; NaN for that map itself), kept_of_space (share of the neighbours in the embedding space),
        plane_silhouette (of the sports, in the plane), kept_by_chance (the share that unrelated maps have in common).

    Raises:
        ActAlignError: as ``project_tsne``, ``neighbours_kept`` and ``sport_silhouette``.

    >>> shown = project_tsne(np.eye(8), seed=0, perplexity=2)
    >>> table = stability(np.eye(8), shown, list("aaaabbbb"), seed=0, perplexity=2, restarts=2, neighbours=3)
    >>> table[["start", "seed"]].values.tolist()
    [['pca', 0], ['random', 0], ['random', 1]]
    """
    space, shown = unit(embeddings), np.asarray(points_n2, dtype=np.float64)
    _, first = np.unique(space, axis=0, return_index=True)
    distinct = np.sort(first)
    rows: list[dict[str, Any]] = []
    for turn in tqdm(range(-1, restarts), unit="map", disable=not is_watched()):
        number = seed + max(turn, 0)
        points = shown if turn < 0 else project_tsne(space, seed=number, perplexity=perplexity, start="random")
        of_map = neighbours_kept(shown[distinct], points[distinct], neighbours=neighbours)
        rows.append(
            {
                "start": "pca" if turn < 0 else "random",
                "seed": number,
                "kept_of_map": float("nan") if turn < 0 else of_map,
                "kept_of_space": neighbours_kept(space[distinct], points[distinct], neighbours=neighbours),
                "plane_silhouette": sport_silhouette(points, sports, metric="euclidean"),
                "kept_by_chance": min(1.0, neighbours / (len(distinct) - 1)),
            }
        )
    return pd.DataFrame(rows)


def sport_silhouette(
    embeddings: NDArray[Any], sports: Sequence[str], *, metric: Literal["cosine", "euclidean"] = "cosine"
) -> float:
    """Mean silhouette of the sports, by cosine distance in the embedding space itself: -1 mixed to 1 apart.

    Raises:
        ActAlignError: one label per row is missing, or there is only one sport (or one per row).

    >>> round(sport_silhouette(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]), ["a", "a", "b", "b"]), 2)
    1.0
    """
    from sklearn.metrics import silhouette_score

    rows = unit(embeddings) if metric == "cosine" else np.asarray(embeddings, dtype=np.float64)
    _check_sports(len(rows), sports)
    return float(silhouette_score(rows, np.asarray(sports), metric=metric))


def silhouette_intervals(
    spaces: Sequence[NDArray[Any]],
    sports: Sequence[str],
    *,
    clusters: Sequence[str],
    seed: int = 0,
) -> pd.DataFrame:
    """The silhouette of the sports in two spaces and their difference, with 95% intervals of a grouped jackknife.

    Clusters are left out whole, the same ones in both spaces, one at a time or in at most 200 random groups. A
    bootstrap would draw a text twice, and a text that lies beside itself makes any sport look tighter. The interval
    speaks of other texts of the same kind, not of another encoder.

    Args:
        spaces: two (N, d) matrices, row n of both the same text without and with its context.
        sports: (N,) the sport of each row.
        clusters: (N,) rows that stand or fall together: the text without context, which several sports may share.
        seed: of the groups, where there are more than 200 clusters.

    Returns:
        Three rows, "without", "with" and "difference" in the column context: silhouette, low, high, texts (N) and
        clusters (how many). Low and high are NaN where leaving out one group leaves fewer than two sports.

    Raises:
        ActAlignError: not two matrices of N rows, ``seed`` is no count, or as ``sport_silhouette``.

    >>> far, near = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]), np.array([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
    >>> table = silhouette_intervals([near, far], ["a", "a", "b", "b"], clusters=["p", "q", "r", "s"])
    >>> table["context"].tolist(), bool(table["silhouette"].iloc[2] > 1)
    (['without', 'with', 'difference'], True)
    """
    from sklearn.metrics.pairwise import cosine_distances

    if len(spaces) != 2 or any(len(space) != len(clusters) for space in spaces):
        raise ActAlignError(f"{[len(space) for space in spaces]} rows for {len(clusters)} clusters: give two spaces")
    _check_sports(len(clusters), sports)
    distances = [cosine_distances(unit(space)) for space in spaces]
    codes = np.unique(np.asarray(sports), return_inverse=True)[1]
    groups, count = _groups(clusters, seed)
    values = np.array(
        [
            [_silhouette(one[np.ix_(kept, kept)], codes[kept]) for one in distances]
            for kept in (groups != group for group in range(-1, len(np.unique(groups))))  # no group is -1: all kept
        ]
    )
    values = np.column_stack([values, values[:, 1] - values[:, 0]])
    whole, without_one = values[0], values[1:]
    many = len(without_one)
    half = np.full(3, np.nan)
    if many > 1:
        spread = np.sqrt((many - 1) / many * ((without_one - without_one.mean(axis=0)) ** 2).sum(axis=0))
        half = student_t.ppf(0.975, many - 1) * spread
    return pd.DataFrame(
        {"context": ["without", "with", "difference"], "silhouette": whole, "low": whole - half, "high": whole + half,
         "texts": len(codes), "clusters": count}
    )  # fmt: skip


def _groups(clusters: Sequence[str], seed: int) -> tuple[NDArray[np.intp], int]:
    """The group (N,) that each row is left out with, whole clusters together, and how many clusters there are."""
    known, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    order = np.random.default_rng(as_count(seed, name="seed", least=0)).permutation(len(known))
    return np.asarray(order[codes] % min(len(known), JACKKNIFE_GROUPS)), len(known)


def _silhouette(distances: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    """As ``sport_silhouette``, from distances; NaN with fewer than two sports."""
    from sklearn.metrics import silhouette_score

    kinds = len(np.unique(codes))
    return float(silhouette_score(distances, codes, metric="precomputed")) if 2 <= kinds < len(codes) else float("nan")


def _check_sports(rows: int, sports: Sequence[str]) -> None:
    kinds = len(set(sports))
    if len(sports) != rows or not 2 <= kinds < rows:
        raise ActAlignError(f"{rows} embeddings, {len(sports)} labels, {kinds} sports: give each one of 2 or more")
