"""The view in words: for the status line, for the cell under the cursor, and for those who do not see the picture."""

import numpy as np

from actalign.explorer.view import View
from actalign.report import true_minus


def ranked_score(score: float) -> str:
    """A score so that those of a ranking stand below each other: four decimals, or four digits of a tiny one.

    >>> ranked_score(0.769), ranked_score(0.00001), ranked_score(-0.25)
    ('0.7690', '1.000e−05', '−0.2500')
    """
    return true_minus(f"{score:z.4f}" if score == 0 or abs(score) >= 0.001 else f"{score:#.4g}")


def status(view: View) -> str:
    """One sentence on who wins, by what score, and whether that is right."""
    table = view.ranking
    best = table[table["place"].isin(["1", "1="])]
    names, score = ", ".join(best["name"]), ranked_score(table["score"][0])
    if len(best) > 1:
        sentence = f"Best of {len(table)}: {len(best)} classes tie at score {score}: {names}"
    else:
        sentence = f"Best of {len(table)}: {names}, score {score}"
    return f"{sentence}{_verdict(view)}."


def _verdict(view: View) -> str:
    answer = view.ranking[view.ranking["is_answer"]]
    if answer.empty:
        return ""
    name, place = answer["name"].iloc[0], answer["place"].iloc[0]
    if place == "1":
        return ", which is the answer"
    if place == "1=":
        return "; the answer is among them"
    return f"; the answer, {name}, is in place {place.rstrip('=')}"


def picture(view: View) -> str:
    """What the picture shows, for those who do not see it."""
    maps = " ".join(
        f"Map {shown.letter}: {shown.name}, {_counted(len(shown.steps), 'step')} by "
        f"{_counted(len(view.times_s), 'frame')}, score {ranked_score(shown.score)}, place {shown.place}."
        for shown in view.shown
    )
    return f"{view.value_label.capitalize()} of every step with every frame. {maps} Arrow keys move over the cells."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def cell(view: View, *, place: int, row: int, column: int) -> str:
    """One cell of the map in ``place`` (0-based) in words.

    Raises IndexError for a cell that the view does not have.
    """
    shown = view.shown[place]
    value = shown.matrix_kt[row, column]
    counted = "on the path" if shown.ordered else "counted"
    verdict = counted if shown.counts(row, column) else f"not {counted}"
    where = f"Frame {column + 1} of {len(view.times_s)}, {view.times_s[column]:.2f} s"
    text = f"{shown.letter}, step {row + 1}: {shown.steps[row].rstrip('.')}"
    return f"{where}. {text}. {view.value_label.capitalize()} {true_minus(f'{value:.3g}')}, {verdict}."


def evidence(value: float) -> str:
    """A number beside its bar; a dash where no cell of the step counts.

    >>> evidence(0.12345), evidence(-0.5), evidence(float("nan"))
    ('0.12', '−0.5', '–')
    """
    return "–" if np.isnan(value) else true_minus(f"{value:.2g}")
