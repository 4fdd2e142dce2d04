"""Plain sentences on what is missing from a view, or changed in it."""

from collections.abc import Sequence

from actalign.inputs import Candidate


def without_script(candidates: Sequence[Candidate], *, style: str, answer: str | None) -> list[str]:
    """Which candidates are not ranked.

    >>> without = [Candidate(name, (name,), "tennis") for name in ("lob", "smash")]
    >>> without_script(without, style="terse", answer="lob")
    ['Not ranked, for want of a script of style terse: lob (the answer), smash.']
    """
    names = [candidate.class_name for candidate in candidates if candidate.script is None]
    missing = [f"{name} (the answer)" if name == answer else name for name in names]
    return [f"Not ranked, for want of a script of style {style}: {', '.join(missing)}."] if missing else []


def smoothed(width: int, *, frame_s: float) -> list[str]:
    """How long the window of the moving average is, where a frame takes ``frame_s`` seconds (0: not known).

    >>> smoothed(30, frame_s=1 / 15)
    ['Smoothed over 30 frames, 2 s.']
    """
    if width == 1:
        return []
    lasts = f", {width * frame_s:.2g} s" if frame_s else ""
    return [f"Smoothed over {width} frames{lasts}."]


def edited(written: Sequence[Candidate], candidates: Sequence[Candidate]) -> list[str]:
    """For each class which steps are not the script's own; ``candidates`` are those of ``written`` with a script."""
    before = {one.class_name: one.script.steps for one in written if one.script is not None}
    sentences = []
    for one in candidates:
        pairs = zip(before[one.class_name], one.script.steps if one.script else (), strict=True)
        if changed := [str(number) for number, (old, new) in enumerate(pairs, 1) if old != new]:
            sentences.append(f"Edited: {one.names[0]}, step {', '.join(changed)}.")
    return sentences


def cut_off(name: str, cut: Sequence[bool]) -> list[str]:
    """Which steps of a class the checkpoint does not read to the end.

    >>> cut_off("lob", [False, True])
    ['Longer than the checkpoint reads, so that the end has no effect: lob, step 2.']
    """
    steps = [str(number) for number, one in enumerate(cut, 1) if one]
    too_long = "Longer than the checkpoint reads, so that the end has no effect"
    return [f"{too_long}: {name}, step {', '.join(steps)}."] if steps else []
