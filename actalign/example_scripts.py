"""The scripts of one class in every prompt style, the class chosen by rule (paper, Table 5; pure)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from actalign.errors import ActAlignError
from actalign.records import Script

COLUMNS = ("style", "sport", "class", "place", "step")


def choose_class(scripts: Mapping[str, Mapping[str, Script]]) -> tuple[str, str]:
    """The class to show, and in words the rule that chose it.

    It is the class, among those with a script in every style, whose scripts together have the median number of words
    (the lower of two, then the first by name). Where no class has all styles, it is so chosen among those with most.

    Args:
        scripts: style -> class -> script, as a data set holds them.

    Raises:
        ActAlignError: there is no script.

    >>> lob, smash = (Script(name, sport="tennis", steps=("swing",) * k) for name, k in (("lob", 2), ("smash", 3)))
    >>> choose_class({"terse": {"lob": lob, "smash": smash}})[0]
    'lob'
    """
    words: dict[str, int] = {}
    styles: dict[str, int] = {}
    for by_class in scripts.values():
        for name, script in by_class.items():
            words[name] = words.get(name, 0) + sum(len(step.split()) for step in script.steps)
            styles[name] = styles.get(name, 0) + 1
    if not words:
        raise ActAlignError("there are no scripts to choose an example from; add a file under scripts/")
    most = max(styles.values())
    among = sorted((words[name], name) for name, count in styles.items() if count == most)
    having = "every style" if most == len(scripts) else f"{most} of {len(scripts)} styles, the most that any has"
    rule = f"of the {len(among)} classes with a script in {having}, the one with the median number of words"
    return among[(len(among) - 1) // 2][1], rule


def script_table(scripts: Mapping[str, Mapping[str, Script]], class_name: str) -> pd.DataFrame:
    """The sub-actions of ``class_name``, a row each: columns style, sport, class, place (1, 2, ...) and step.

    Args:
        scripts: style -> class -> script; a style without the class is left out.

    Raises:
        ActAlignError: no style has a script of that class.

    >>> lob = Script("lob", sport="tennis", steps=("step back", "swing up"))
    >>> script_table({"terse": {"lob": lob}}, "lob")[["place", "step"]].values.tolist()
    [[1, 'step back'], [2, 'swing up']]
    """
    rows = [
        (style, by_class[class_name].sport, class_name, place, step)
        for style, by_class in scripts.items()
        if class_name in by_class
        for place, step in enumerate(by_class[class_name].steps, start=1)
    ]
    if not rows:
        raise ActAlignError(f"no style of {list(scripts)} has a script of class {class_name!r}; check the name")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def scripts_for_people(table: pd.DataFrame, *, styles: Sequence[str] = ()) -> pd.DataFrame:
    """A :func:`script_table` as text: columns Style (on the first row of each), k (its place) and Sub-action.

    Args:
        styles: which, in this order; all, in the table's order, if empty.

    Raises:
        ActAlignError: the table lacks one of these styles.

    >>> table = pd.DataFrame({"style": ["terse"] * 2, "place": [1, 2], "step": ["step back", "swing up"]})
    >>> scripts_for_people(table).values.tolist()
    [['terse', '1', 'step back'], ['', '2', 'swing up']]
    """
    known = list(dict.fromkeys(table["style"]))
    if absent := [style for style in styles if style not in known]:
        raise ActAlignError(f"the class has no script in the styles {absent}; it has {known}")
    parts = [table[table["style"] == style] for style in styles or known]
    return pd.DataFrame(
        {
            "Style": [text for part in parts for text in [part["style"].iloc[0], *[""] * (len(part) - 1)]],
            "k": [str(place) for part in parts for place in part["place"]],
            "Sub-action": [step for part in parts for step in part["step"]],
        }
    )
