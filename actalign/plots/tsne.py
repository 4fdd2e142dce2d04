"""Sub-action embeddings in the plane, coloured by sport (paper, Fig. 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import INK, MARKERS, OKABE_ITO, panel_label

_NARROW_IN = 5.0


def project_tsne(embeddings: NDArray[Any], *, seed: int, perplexity: float = 30.0) -> NDArray[np.float64]:
    """Points (N, 2) of a t-SNE of ``embeddings`` (N, d) by cosine distance, from a PCA start; same seed, same points.

    It runs on one thread: sums in another order would move every point.

    Raises:
        ActAlignError: not a finite (N, d) matrix, or ``perplexity`` not below N.

    >>> project_tsne(np.eye(6), seed=0, perplexity=2).shape
    (6, 2)
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    unit = _unit_rows(embeddings)
    if not 0 < perplexity < len(unit):
        raise ActAlignError(f"perplexity {perplexity} must be above 0 and below the {len(unit)} texts; change it")
    # Between unit rows the Euclidean distance orders pairs as the cosine does.
    with threadpool_limits(limits=1):
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(unit)
    return np.asarray(points, dtype=np.float64)


def sport_silhouette(embeddings: NDArray[Any], sports: Sequence[str]) -> float:
    """Mean silhouette of the sports by cosine distance, in the embedding space itself: -1 mixed to 1 apart.

    Raises:
        ActAlignError: one label per row is missing, or there is only one sport (or one per row).

    >>> round(sport_silhouette(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]), ["a", "a", "b", "b"]), 2)
    1.0
    """
    from sklearn.metrics import silhouette_score

    unit = _unit_rows(embeddings)
    kinds = len(set(sports))
    if len(sports) != len(unit) or not 2 <= kinds < len(unit):
        raise ActAlignError(f"{len(unit)} embeddings, {len(sports)} labels, {kinds} sports: give each one of 2 or more")
    return float(silhouette_score(unit, np.asarray(sports), metric="cosine"))


def tsne(
    points_n2: NDArray[Any],
    sports: Sequence[str],
    ax: Axes,
    *,
    label: str = "",
    silhouette: float | None = None,
    legend: bool = True,
) -> Axes:
    """Scatter ``points_n2`` (N, 2), a colour and a marker per sport (N,), legend to the right; return ``ax``.

    t-SNE axes carry no unit and no direction, so they have no ticks.

    Raises:
        ActAlignError: points and sports do not match, or there are more than 64 sports.

    >>> ax = tsne(np.zeros((2, 2)), ["golf", "tennis"], Figure().subplots(), label="(a) steps", silhouette=0.25)
    >>> ax.texts[0].get_text()
    '(a) steps, silhouette 0.25'
    """
    points = np.asarray(points_n2, dtype=float)
    if points.shape != (len(sports), 2) or not len(sports):
        raise ActAlignError(f"points have shape {points.shape} for {len(sports)} sports; give (N, 2), a sport each")
    labels = np.asarray(sports)
    for name, (color, marker) in sport_keys(sports).items():
        of_sport = points[labels == name]
        ax.scatter(
            of_sport[:, 0], of_sport[:, 1], s=9, c=color, marker=marker, edgecolors=INK, linewidths=0.2, alpha=0.85,
            label=name,
        )  # fmt: skip
    middle, reach = (points.max(axis=0) + points.min(axis=0)) / 2, 0.54 * (np.ptp(points, axis=0).max() or 1.0)
    ax.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
    ax.set(xticks=[], yticks=[], aspect="equal", anchor="N")
    ax.spines[["top", "right"]].set_visible(True)
    number = "" if silhouette is None else f"silhouette {silhouette:.2f}"
    panel_label(ax, ("\n" if _narrow(ax.figure) else ", ").join(part for part in (label, number) if part))
    if legend:
        ax.legend(handles=_handles(sports), loc="center left", bbox_to_anchor=(1.0, 0.5), borderaxespad=0.5)
    return ax


def tsne_pair(
    without: tuple[NDArray[Any], float],
    with_context: tuple[NDArray[Any], float],
    figure: Figure | SubFigure,
    *,
    sports: Sequence[str],
) -> list[Axes]:
    """Both panels of Fig. 5: (points, silhouette) of the steps alone and "in {sport}", one legend below.

    >>> points = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> len(tsne_pair((points, 0.1), (points, 0.4), Figure(layout="constrained"), sports=["golf", "tennis"]))
    2
    """
    axes = list(figure.subplots(1, 2))
    for ax, (points, silhouette), label in zip(
        axes, (without, with_context), ("(a) steps alone", "(b) steps in their sport"), strict=True
    ):
        tsne(points, sports, ax, label=label, silhouette=silhouette, legend=False)
    columns = min(len(set(sports)), 4 if _narrow(figure) else 8)
    figure.legend(
        handles=_handles(sports), loc="outside lower center", ncols=columns, columnspacing=1.2, handletextpad=0.2
    )
    return axes


def tsne_pair_height_in(width_in: float) -> float:
    """Height in inches that ``tsne_pair`` fills at that width: two squares, their labels and the legend.

    >>> round(tsne_pair_height_in(6.9), 2)
    3.85
    """
    return width_in / 2 + (0.4 if width_in >= _NARROW_IN else 0.65)


def sport_keys(sports: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(colour, marker) of each sport in alphabetical order; no two alike up to 64 sports.

    >>> sport_keys(["tennis", "golf"])
    {'golf': ('#0072B2', 'o'), 'tennis': ('#D55E00', 's')}
    """
    names = sorted(set(sports))
    if len(names) > len(OKABE_ITO) * len(MARKERS):
        raise ActAlignError(f"{len(names)} sports are too many to tell apart; draw at most 64 at a time")
    size = len(OKABE_ITO)
    return {name: (OKABE_ITO[i % size], MARKERS[(i + i // size) % size]) for i, name in enumerate(names)}


def _narrow(figure: Figure | SubFigure) -> bool:
    return bool(figure.bbox.width / figure.dpi < _NARROW_IN)


def _handles(sports: Sequence[str]) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="", color=color, marker=marker, markersize=4, markeredgecolor=INK,
               markeredgewidth=0.2, label=name)
        for name, (color, marker) in sport_keys(sports).items()
    ]  # fmt: skip


def _unit_rows(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise ActAlignError(f"embeddings must be a finite, non-empty (N, d) matrix; got shape {rows.shape}")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        raise ActAlignError("an embedding is all zeros and has no direction; encode the texts again")
    return np.asarray(rows / norms)
