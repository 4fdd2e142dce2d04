"""The charts of benchmarks/results/, drawn from its JSON files: ``python -m benchmarks.chart``."""

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullLocator

from actalign.plots.figure import (
    BLUE,
    COLUMN_WIDTH_IN,
    GREEN,
    GREY,
    INK,
    MARKERS,
    PAGE_WIDTH_IN,
    VERMILLION,
    new_figure,
    panel_label,
    save_figure,
    style,
)
from benchmarks import measure

Results = Mapping[str, Any]
PEER_LABELS = {
    "ours": "ours",
    "ours, all cores": "ours, all cores",
    "torch scan": "scan in torch",
    "librosa": "librosa",
    "dtw-python": "dtw-python",
    "tslearn": "tslearn",
    "textbook loops": "textbook loops",
    "released loops": "loops as released",
    "ours, with paths": "ours, with paths",
}
STAGE_LABELS = {
    "product": "matrix product",
    "product and sigmoid": "product and sigmoid",
    "ours": "ours: all scores",
    "ours, w = 30": "ours, smoothed",
    "released": "as released",
}
FLOOR = ("product", "product and sigmoid")


def plain(value: float) -> str:
    """Two digits that count, without an exponent.

    >>> plain(0.996), plain(1.03), plain(432.1), plain(4490.0)
    ('1.0', '1.0', '430', '4,500')
    """
    digits = float(f"{value:.2g}")
    return f"{digits:,.0f}" if digits >= 10 else f"{digits:#.2g}"


def _log_axis(axis: Any) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def dots(ax: Axes, rows: Mapping[str, Mapping[str, float]], labels: Mapping[str, str], *, unit: str) -> Axes:
    """The entries of ``labels``, fastest on top: median and range, and the number in print; returns ``ax``.

    What is ours is a blue square, what is another's a vermillion circle, what nobody can leave out a grey triangle.
    """
    shown = sorted(labels, key=lambda name: rows[name]["median"])
    for place, name in enumerate(reversed(shown)):
        row = rows[name]
        colour, marker = (VERMILLION, MARKERS[0]) if name not in FLOOR else (GREY, MARKERS[2])
        if name.startswith("ours"):
            colour, marker = BLUE, MARKERS[1]
        ax.plot([row["min"], row["max"]], [place, place], color=colour, linewidth=1.0)
        ax.plot(row["median"], place, marker=marker, color=colour, linestyle="none")
        ax.annotate(
            plain(row["median"]),
            (row["max"], place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            path_effects=[withStroke(linewidth=2.6, foreground="white")],  # where it meets a line of the grid
        )
    ax.set_xscale("log")
    ax.set_yticks(range(len(shown)), [labels[name] for name in reversed(shown)])
    ax.set_ylim(-0.6, len(shown) - 0.4)
    fastest, slowest = rows[shown[0]]["min"], max(rows[name]["max"] for name in shown)
    ax.set_xlim(10 ** math.floor(math.log10(fastest)), 4 * slowest)
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(unit)
    _log_axis(ax.xaxis)
    return ax


def dtw_peers(results: Results) -> Figure:
    figure = new_figure(COLUMN_WIDTH_IN, 2.1)
    labels = {**PEER_LABELS, "ours, all cores": f"ours, {results['machine']['cores']} cores"}
    unit = "ns per cell, one thread unless said"
    together = {"ours, all cores": results["cores"]["ns_per_cell"]["all cores"]}
    dots(figure.subplots(), results["peers"]["ns_per_cell"] | together, labels, unit=unit)
    return figure


def curve(
    ax: Axes, values: Mapping[str, float], *, colour: str, marker: str, size: float = 3.5, label: str = ""
) -> Axes:
    """A line over numbers that are the keys; returns ``ax``."""
    points = sorted((float(key), value) for key, value in values.items())
    ax.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=size, label=label)
    return ax


def dtw_growth(results: Results) -> Figure:
    figure = new_figure(PAGE_WIDTH_IN, 1.8)
    over = results["growth"]
    panels = figure.subplots(1, 3, sharey=True)
    for (name, values), colour, size in zip(over["over_frames"].items(), (BLUE, GREEN), (6.0, 3.0), strict=False):
        label = f"ours, {name.replace('=', ' = ')}"  # the two lie on each other: the second is small
        curve(panels[0], values, colour=colour, marker=MARKERS[0], size=size, label=label)
    for steps, marker, colour in (("10", MARKERS[2], VERMILLION), ("50", MARKERS[3], GREY)):
        found = {
            name.partition("T=")[2]: row["ns_per_cell"]["tslearn"]["median"]
            for name, row in results["long_clips"].items()
            if name.startswith(f"K={steps},")
        }
        curve(panels[0], found, colour=colour, marker=marker, label=f"tslearn, K = {steps}")
    curve(panels[1], over["over_steps"], colour=BLUE, marker=MARKERS[0])
    curve(panels[2], over["over_batch"], colour=BLUE, marker=MARKERS[0])
    for ax, label, name in zip(panels, "abc", ("frames T", "sub-actions K", "matrices a call"), strict=True):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel(name)
        ax.grid(axis="y")
        _log_axis(ax.xaxis)
        _log_axis(ax.yaxis)
        panel_label(ax, f"({label})")
    panels[1].set_xticks(sorted(map(float, over["over_steps"])))
    panels[0].set_ylabel("ns per cell, one thread")
    panels[0].set_ylim(bottom=10 ** math.floor(math.log10(min(over["over_steps"].values()))))
    figure.legend(loc="outside upper center", ncols=4, columnspacing=1.5)
    return figure


def stage(results: Results) -> Figure:
    figure = new_figure(COLUMN_WIDTH_IN, 1.5)
    rows = results["stage"]["ms_per_clip_one_thread"]
    dots(figure.subplots(), rows, STAGE_LABELS, unit="ms a clip, one thread")
    return figure


def memory(results: Results) -> Figure:
    figure = new_figure(COLUMN_WIDTH_IN, 2.0)
    ax = figure.subplots()
    lines = (
        ("ours, tiny clips", results["tiny"]["ours"], BLUE, MARKERS[1]),
        ("ours, 720p clips", results["hd"]["ours"], GREEN, MARKERS[2]),
        ("as released, 720p clips", results["hd"]["released"], VERMILLION, MARKERS[0]),
    )
    for label, found, colour, marker in lines:
        peaks = {count: run["peak_mb"] for count, run in found["runs"].items()}
        curve(ax, peaks, colour=colour, marker=marker, label=label)
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("clips")
    ax.set_ylabel("peak memory (MB)")
    ax.grid(axis="y")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    _log_axis(ax.xaxis)
    ax.legend(loc="upper right")
    return figure


CHARTS: Mapping[str, tuple[str, Callable[[Results], Figure]]] = {
    "dtw_peers": ("dtw", dtw_peers),
    "dtw_growth": ("dtw", dtw_growth),
    "stage": ("stage", stage),
    "memory": ("memory", memory),
}
"""Chart -> the subject whose JSON it shows, and what draws it."""


def draw(folder: Path) -> list[Path]:
    """Draw every chart whose JSON is in ``folder``, into it; returns the files."""
    written = []
    for name, (subject, drawn) in CHARTS.items():
        results = measure.read(subject, folder=folder)
        if results is not None:
            with style():
                figure = drawn(results)
                written += save_figure(figure, name, folder=folder)
            plt.close(figure)
    return written


def main() -> None:
    """Draw the charts from the JSON files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chart", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=measure.RESULTS, help="of the JSON files, default %(default)s")
    for path in draw(parser.parse_args().folder):
        if path.suffix == ".png":
            print(f"drew {path}")


if __name__ == "__main__":
    main()
