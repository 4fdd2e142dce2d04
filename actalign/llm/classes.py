"""Which classes a script is wanted for, and in which sport each is done."""

from collections.abc import Mapping

from actalign.errors import ActAlignError
from actalign.records import Dataset


def classes_of(classes: Mapping[str, str] | Dataset) -> dict[str, str]:
    """Class -> sport, in the order given; of a data set, every candidate of its questions with its sport.

    Raises:
        ActAlignError: no class, a name or sport that is empty or not text, or a class met in two sports.

    >>> classes_of({"lob": "tennis"})
    {'lob': 'tennis'}
    """
    found: dict[str, str] = {}
    if isinstance(classes, Dataset):
        for question in classes.questions:
            for name in question.candidates:
                sport = classes.sport_of(name, clip_id=question.clip_id)
                if found.setdefault(name, sport) != sport:
                    raise ActAlignError(
                        f"class {name!r} is asked for in {found[name]!r} and in {sport!r}, and a data set keeps one "
                        "script per class: pass a mapping {class: sport} that says which"
                    )
    else:
        found = dict(classes)
    if not found:
        raise ActAlignError(
            "there is no class to write a script for; give {class: sport}, or a data set with questions"
        )
    for name, sport in found.items():
        for text in (name, sport):
            if not isinstance(text, str) or not text.strip() or text != text.encode(errors="replace").decode():
                raise ActAlignError(f"class {name!r} of sport {sport!r}: both must be texts, and not empty")
    return found
