"""The class whose scripts are shown: chosen by rule, shown in full."""

import pytest

from actalign.errors import ActAlignError
from actalign.example_scripts import choose_class, script_table, scripts_for_people
from actalign.records import Script


def scripts(**words: int) -> dict[str, Script]:
    """One script per class, of so many one-word sub-actions."""
    return {name: Script(name, sport="tennis", steps=("swing",) * count) for name, count in words.items()}


def test_the_class_has_the_median_number_of_words_over_all_its_scripts() -> None:
    both = {"rich": scripts(lob=1, serve=9, smash=2), "terse": scripts(lob=6, serve=1, smash=1)}
    name, rule = choose_class(both)
    assert name == "lob", "the words are 7, 10 and 3"
    assert rule == "of the 3 classes with a script in every style, the one with the median number of words"
    assert choose_class({"rich": both["rich"]})[0] == "smash"


def test_of_two_middle_classes_the_shorter_and_of_equals_the_first_by_name() -> None:
    assert choose_class({"rich": scripts(c=4, b=2, d=3, a=1)})[0] == "b"
    assert choose_class({"rich": scripts(c=2, b=2, a=2)})[0] == "b"


def test_classes_without_all_styles_are_left_out_unless_none_has_them() -> None:
    assert choose_class({"rich": scripts(lob=5, serve=1), "terse": scripts(lob=5)})[0] == "lob"
    name, rule = choose_class({"rich": scripts(lob=5), "terse": scripts(serve=1)})
    assert name == "serve" and "a script in 1 of 2 styles, the most that any has" in rule
    with pytest.raises(ActAlignError, match="no scripts to choose"):
        choose_class({"rich": {}})


def test_the_table_keeps_styles_and_sub_actions_in_order() -> None:
    lob = Script("lob", sport="tennis", steps=("step back", "swing up"))
    both = {"terse": scripts(lob=1), "rich": {"lob": lob}, "other": scripts(serve=1)}
    table = script_table(both, "lob")
    assert list(table) == ["style", "sport", "class", "place", "step"]
    assert table[["style", "place", "step"]].values.tolist() == [
        ["terse", 1, "swing"], ["rich", 1, "step back"], ["rich", 2, "swing up"],
    ]  # fmt: skip
    shown = scripts_for_people(table, styles=["rich", "terse"])
    assert shown["Style"].tolist() == ["rich", "", "terse"] and shown["k"].tolist() == ["1", "2", "1"]
    with pytest.raises(ActAlignError, match=r"no script in the styles \['poetic'\]; it has \['terse', 'rich'\]"):
        scripts_for_people(table, styles=["rich", "poetic"])
    with pytest.raises(ActAlignError, match="script of class 'smash'"):
        script_table(both, "smash")
