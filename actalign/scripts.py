"""Sub-action scripts: read, check, write, and the statistics of Table 1. Pure but for the files it names.

A file holds one prompt style::

    {"style": "context_rich", "scripts": {"<class>": {"sport": "tennis", "steps": ["step back", "swing up"]}}}
"""

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.records import Dataset, Question, Script
from actalign.text import canonicalise


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object in a file, read strictly: a repeated key is an error, not "the last one wins".

    Raises:
        ActAlignError: no such file, not UTF-8, malformed (the line is named), a repeated key, or not an object.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.json").write_text('{"lob": ["high ball"]}')
    ...     read_json(Path(folder) / "a.json")
    {'lob': ['high ball']}
    """
    path = Path(path)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise ActAlignError(f"{path}: {key!r} appears twice in the same object; keep one of the two")
            seen[key] = value
        return seen

    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=unique)
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except UnicodeDecodeError as error:
        raise ActAlignError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ActAlignError(
            f"{path}, line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}); mend that line"
        ) from error
    except ValueError as error:
        raise ActAlignError(f"{path} holds a number that cannot be read ({error}); mend the file") from error
    except RecursionError as error:
        raise ActAlignError(f"{path} nests its brackets too deeply to be read; mend the file") from error
    if not isinstance(value, dict):
        raise ActAlignError(f"{path} holds a JSON {type(value).__name__}; an object in braces is expected")
    return value


def _script(path: Path, name: str, entry: object) -> Script:
    where = f"{path}, class {name!r}"
    if not name.strip():
        raise ActAlignError(f"{path}: a class has an empty name; name it")
    if not isinstance(entry, dict):
        raise ActAlignError(f'{where}: expected {{"sport": ..., "steps": [...]}}; got {entry!r:.80}')
    if absent := [key for key in ("sport", "steps") if key not in entry]:
        raise ActAlignError(f"{where}: {' and '.join(map(repr, absent))} missing; it has {sorted(entry)}")
    sport, steps = entry["sport"], entry["steps"]
    if not isinstance(sport, str) or not sport.strip():
        raise ActAlignError(f"{where}: sport is {sport!r}; write the sport's name")
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise ActAlignError(f"{where}: steps is {steps!r:.80}; write a list of texts")
    try:
        script = Script(name, sport=sport, steps=tuple(steps))
        for text in (name, sport, *steps):
            canonicalise(text)
    except ActAlignError as error:
        raise ActAlignError(f"{where}: {error}") from error
    return script


def read_scripts(path: str | os.PathLike[str]) -> tuple[str, dict[str, Script]]:
    """The prompt style of a script file and its scripts by class name (paper, Eq. 3).

    Keys beside those shown at the top of this module are left alone, so a file may carry notes.

    Raises:
        ActAlignError: unreadable or malformed file, a missing key, a class given twice, no class at all, an
            empty script or an empty step. The message names the file and the class.

    >>> scripts = {"lob": Script("lob", sport="tennis", steps=("step back", "swing up"))}
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_scripts(Path(folder) / "terse.json", "terse", scripts)
    ...     read_scripts(Path(folder) / "terse.json") == ("terse", scripts)
    True
    """
    path = Path(path)
    content = read_json(path)
    if absent := [key for key in ("style", "scripts") if key not in content]:
        raise ActAlignError(f"{path}: {' and '.join(map(repr, absent))} missing; it has {sorted(content)}")
    style, entries = content["style"], content["scripts"]
    if not isinstance(style, str) or not style.strip():
        raise ActAlignError(f"{path}: style is {style!r}; write the style's name")
    if not isinstance(entries, dict) or not entries:
        raise ActAlignError(f"{path}: 'scripts' is {entries!r:.80}; give at least one class and its script")
    return style, {name: _script(path, name, entry) for name, entry in entries.items()}


def read_styles(folder: str | os.PathLike[str]) -> dict[str, dict[str, Script]]:
    """Every ``<style>.json`` of a folder as {style: {class: script}}; no such file or folder gives none.

    Raises:
        ActAlignError: as :func:`read_scripts`; or a file is not called by its style.

    >>> read_styles("nowhere")
    {}
    """
    styles: dict[str, dict[str, Script]] = {}
    for path in sorted(Path(folder).glob("[!.]*.json")):
        style, scripts = read_scripts(path)
        if style != path.stem:
            raise ActAlignError(f"{path} says its style is {style!r}; give the file and its style the same name")
        styles[style] = scripts
    return styles


def write_scripts(path: str | os.PathLike[str], style: str, scripts: Mapping[str, Script]) -> None:
    """Write what :func:`read_scripts` reads: classes sorted, same scripts same bytes, whole file or none.

    Raises:
        ActAlignError: nothing to write, a key that is not its script's class name, or a folder that cannot be
            written; a file that was there before is then left as it was.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_scripts(Path(folder) / "a.json", "terse", {"lob": Script("lob", sport="tennis", steps=("swing",))})
    ...     sorted(read_json(Path(folder) / "a.json"))
    ['scripts', 'style']
    """
    if not style.strip() or not scripts:
        raise ActAlignError(f"style {style!r} with {len(scripts)} scripts: name the style and give at least one script")
    if wrong := [name for name, script in scripts.items() if name != script.class_name]:
        raise ActAlignError(f"{wrong[0]!r} holds the script of {scripts[wrong[0]].class_name!r}; use the class name")
    entries = {name: {"sport": scripts[name].sport, "steps": list(scripts[name].steps)} for name in sorted(scripts)}
    write_whole(path, json.dumps({"style": style, "scripts": entries}, indent=1, ensure_ascii=False) + "\n")


def missing_scripts(questions: Iterable[Question], scripts: Mapping[str, Script]) -> tuple[str, ...]:
    """The candidates of ``questions`` that have no script, each once, in the order first met.

    >>> missing_scripts([Question("a", candidates=("serve", "lob"), answer=0)], {})
    ('serve', 'lob')
    """
    wanted = dict.fromkeys(name for question in questions for name in question.candidates)
    return tuple(name for name in wanted if name not in scripts)


def meant(class_name: str, questions: Sequence[Question], scripts: Mapping[str, Script]) -> str:
    """What to add where a class has no script: a name much like it that has one and that it does not stand beside.

    Or else the only one that has a script and that no question asks about: a class may have been renamed. Of a split,
    other questions may ask about it.

    >>> scripts = {name: Script(name, sport="tennis", steps=("swing up",)) for name in ("Lob ", "drop")}
    >>> meant("lob", [Question("a", candidates=("drop", "lob"), answer=0)], scripts)
    "; did you mean 'Lob '?"
    >>> meant("high ball", [Question("a", candidates=("drop", "high ball"), answer=0)], scripts)
    "; none of these questions asks for the script of 'Lob ': rename it if it is this one"
    """
    beside = {name for question in questions if class_name in question.candidates for name in question.candidates}
    known = {name.strip().casefold(): name for name in scripts if name not in beside}
    near = difflib.get_close_matches(class_name.strip().casefold(), known, n=1, cutoff=0.8)
    if near:
        return f"; did you mean {known[near[0]]!r}?"
    unasked = scripts.keys() - {name for question in questions for name in question.candidates}
    if len(unasked) != 1:
        return ""
    return f"; none of these questions asks for the script of {unasked.pop()!r}: rename it if it is this one"


def in_style(dataset: Dataset, style: str) -> Mapping[str, Script]:
    """The scripts of a style by class name.

    Raises:
        ActAlignError: the data set has none in this style; the message names the styles there are.

    >>> scripts = {"terse": {"lob": Script("lob", sport="tennis", steps=("swing up",))}}
    >>> list(in_style(Dataset("mine", Path("."), clips={}, questions=(), scripts=scripts), "terse"))
    ['lob']
    """
    if style not in dataset.scripts:
        there = f"choose one of {sorted(dataset.scripts)}, or " if dataset.scripts else ""
        raise ActAlignError(
            f"data set {dataset.name!r} has no scripts of style {style!r}; {there}add "
            f"{dataset.root / 'scripts' / f'{style}.json'}"
        )
    return dataset.scripts[style]


def check_scripts(dataset: Dataset, style: str) -> None:
    """Make sure that every candidate of ``dataset`` has a script in ``style``.

    Raises:
        ActAlignError: the style is unknown, or some candidates have no script in it; the message names them.

    >>> scripts = {"terse": {"lob": Script("lob", sport="tennis", steps=("swing up",))}}
    >>> check_scripts(Dataset("mine", Path("."), clips={}, questions=(), scripts=scripts), "terse")
    """
    if absent := missing_scripts(dataset.questions, in_style(dataset, style)):
        named = ", ".join(map(repr, absent[:10])) + (", ..." if len(absent) > 10 else "")
        raise ActAlignError(
            f"data set {dataset.name!r}, style {style!r}: {len(absent)} candidate(s) have no script: {named}; add them "
            f"to {dataset.root / 'scripts' / f'{style}.json'}, or score without them: options(missing_script='skip')"
            f"{meant(absent[0], dataset.questions, dataset.scripts[style])}"
        )


def statistics(scripts: Mapping[str, Script]) -> pd.DataFrame:
    """Table 1 for one prompt style: a row per statistic, columns ``mean``, ``sd`` and ``n``.

    ``sub_actions_per_class`` is over classes; ``sub_actions_per_domain`` averages the classes of each sport
    first and is over sports; ``words_per_sub_action`` is over all sub-actions, a word being what white space
    sets apart. ``sd`` is the population standard deviation (divided by n): it describes the scripts at hand,
    and one class has spread 0. The paper does not say which it printed; at its sizes they differ by under 1%.

    Raises:
        ActAlignError: there is no script.

    >>> two = {name: Script(name, sport="tennis", steps=("swing up",) * k) for name, k in (("lob", 2), ("serve", 4))}
    >>> statistics(two).loc["sub_actions_per_class", ["mean", "sd"]].tolist()
    [3.0, 1.0]
    """
    if not scripts:
        raise ActAlignError("no scripts to describe; read a script file first")
    by_sport: dict[str, list[int]] = {}
    for script in scripts.values():
        by_sport.setdefault(script.sport, []).append(len(script))
    samples: dict[str, Sequence[float]] = {
        "sub_actions_per_class": [len(script) for script in scripts.values()],
        "sub_actions_per_domain": [sum(lengths) / len(lengths) for lengths in by_sport.values()],
        "words_per_sub_action": [len(step.split()) for script in scripts.values() for step in script.steps],
    }
    rows = {name: {"mean": np.mean(values), "sd": np.std(values), "n": len(values)} for name, values in samples.items()}
    return pd.DataFrame.from_dict(rows, orient="index").astype({"mean": float, "sd": float, "n": int})
