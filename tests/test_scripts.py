"""Script files: what is read, what is refused and the statistics of Table 1."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actalign.datasets.folder import read_folder
from actalign.errors import ActAlignError
from actalign.lint import lint_dataset
from actalign.options import options
from actalign.questions import texts_needed
from actalign.records import Question, Script
from actalign.scripts import (
    check_scripts,
    meant,
    missing_scripts,
    read_json,
    read_scripts,
    statistics,
    write_scripts,
)

GOOD = {
    "serve": Script("serve", sport="tennis", steps=("toss the ball", "swing up")),
    "lob": Script("lob", sport="tennis", steps=("step back", "swing", "watch – it's “high”")),
}


def _file(folder: Path, content: object) -> Path:
    path = folder / "a style.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "über scripts" / "terse.json"
    write_scripts(path, "terse", GOOD)
    assert read_scripts(path) == ("terse", GOOD)
    assert "– it's “high”" in path.read_text(encoding="utf-8")


def test_the_same_scripts_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    write_scripts(tmp_path / "a.json", "terse", GOOD)
    write_scripts(tmp_path / "b.json", "terse", dict(reversed(GOOD.items())))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_bytes().endswith(b"}\n")


def test_notes_beside_the_scripts_and_a_byte_order_mark_are_allowed(tmp_path: Path) -> None:
    entry = {"sport": "tennis", "steps": ["swing"], "note": "draft"}
    text = json.dumps({"style": "terse", "model": "by hand", "scripts": {"lob": entry}})
    path = _file(tmp_path, "\ufeff" + text.replace(", ", ",\r\n"))
    assert read_scripts(path)[1]["lob"].steps == ("swing",)


def test_malformed_json_names_file_and_line(tmp_path: Path) -> None:
    path = _file(tmp_path, '{"style": "terse",\n "scripts": {\n  "lob": {"sport" "tennis"}}}')
    with pytest.raises(ActAlignError, match=r"a style\.json, line 3, column 19"):
        read_scripts(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1"),
        ("[]", "holds a JSON list"),
        ("[" * 200_000, "too deeply"),
        ({"scripts": {}}, "'style' missing"),
        ({"style": "terse"}, "'scripts' missing"),
        ({"style": 3, "scripts": {}}, "style is 3"),
        ({"style": " ", "scripts": {}}, "style is ' '"),
        ({"style": "terse", "scripts": {}}, "at least one class"),
        ({"style": "terse", "scripts": []}, "at least one class"),
        ({"style": "terse", "scripts": {"lob": ["swing"]}}, "class 'lob': expected"),
        ({"style": "terse", "scripts": {"lob": {"steps": ["swing"]}}}, "class 'lob': 'sport' missing"),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis"}}}, "class 'lob': 'steps' missing"),
        ({"style": "terse", "scripts": {"lob": {"sport": "", "steps": ["a"]}}}, "class 'lob': sport is ''"),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": "swing"}}}, "write a list of texts"),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": ["a", 2]}}}, "write a list of texts"),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": []}}}, "class 'lob' has no steps"),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": ["a", " "]}}}, "'lob' has.*empty step"),
        (
            {"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": ["a", "..."]}}},
            "'lob'.*empty once cleaned",
        ),
        ({"style": "terse", "scripts": {"lob": {"sport": "tennis", "steps": ["\ud800"]}}}, "'lob'.*half a character"),
        ({"style": "terse", "scripts": {"lob": {"sport": "\ud800", "steps": ["a"]}}}, "'lob'.*half a character"),
        ({"style": "terse", "scripts": {"\ud800": {"sport": "tennis", "steps": ["a"]}}}, "class .*half a character"),
        ('{"style": "terse", "n": ' + "9" * 5000 + "}", "a number that cannot be read"),
        ({"style": "terse", "scripts": {" ": {"sport": "tennis", "steps": ["a"]}}}, "empty name"),
    ],
)
def test_bad_files_are_refused_and_named(tmp_path: Path, content: object, message: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(ActAlignError, match=message) as caught:
        read_scripts(path)
    assert str(path) in str(caught.value)


def test_a_class_given_twice_is_refused(tmp_path: Path) -> None:
    entry = '{"sport": "tennis", "steps": ["swing"]}'
    path = _file(tmp_path, f'{{"style": "terse", "scripts": {{"lob": {entry}, "lob": {entry}}}}}')
    with pytest.raises(ActAlignError, match="'lob' appears twice"):
        read_scripts(path)


def test_the_same_key_in_two_objects_is_no_duplicate(tmp_path: Path) -> None:
    assert read_json(_file(tmp_path, {"a": {"x": 1}, "b": {"x": 2}})) == {"a": {"x": 1}, "b": {"x": 2}}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match=r"absent\.json: No such file"):
        read_scripts(tmp_path / "absent.json")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('{"style": "é"}'.encode("latin-1"))
    with pytest.raises(ActAlignError, match=r"not UTF-8 \(byte 11\)"):
        read_scripts(path)


def test_writing_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="at least one script"):
        write_scripts(tmp_path / "a.json", "terse", {})
    with pytest.raises(ActAlignError, match="name the style"):
        write_scripts(tmp_path / "a.json", " ", GOOD)
    assert list(tmp_path.iterdir()) == []


def test_writing_under_a_wrong_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="'smash' holds the script of 'lob'"):
        write_scripts(tmp_path / "a.json", "terse", {"smash": GOOD["lob"]})


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_scripts(path, "terse", GOOD)
    before = path.read_bytes()

    def full_disk(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(ActAlignError, match=r"cannot write .*a\.json: No space left"):
        write_scripts(path, "other", GOOD)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ActAlignError, match="cannot write"):
        write_scripts(tmp_path / "file" / "a.json", "terse", GOOD)


def test_missing_scripts_are_named_once_in_order() -> None:
    questions = [
        Question("1", candidates=("smash", "lob", "drop"), answer=0),
        Question("2", candidates=("drop", "serve", "smash"), answer=0),
    ]
    assert missing_scripts(questions, GOOD) == ("smash", "drop")


def test_check_scripts_accepts_a_complete_style(tiny_dataset: Callable[..., Path]) -> None:
    dataset = read_folder(tiny_dataset())
    for style in dataset.scripts:
        check_scripts(dataset, style)
    assert sorted(dataset.scripts) == ["context_rich", "short_fixed"]


def test_check_scripts_names_style_and_class(tiny_dataset: Callable[..., Path]) -> None:
    dataset = read_folder(tiny_dataset())
    terse = {name: script for name, script in dataset.scripts["short_fixed"].items() if name != "judo-01b"}
    dataset = replace(dataset, scripts={**dataset.scripts, "short_fixed": terse})
    with pytest.raises(ActAlignError, match=r"'short_fixed': 1 candidate\(s\) have no script: 'judo-01b'; .*skip"):
        check_scripts(dataset, "short_fixed")


def test_a_class_that_is_written_otherwise_where_its_script_is_is_named(tiny_dataset: Callable[..., Path]) -> None:
    dataset = read_folder(tiny_dataset())
    for written in ("Judo-01b", "judo-01b ", "judoo-01b"):
        scripts = dataset.scripts["short_fixed"]
        terse = {written if name == "judo-01b" else name: script for name, script in scripts.items()}
        broken = replace(dataset, scripts={"short_fixed": terse})
        with pytest.raises(ActAlignError, match=rf"no script: 'judo-01b'; .*; did you mean '{written}'\?"):
            check_scripts(broken, "short_fixed")
        with pytest.raises(ActAlignError, match=rf"'judo-01b' has no script .*; did you mean '{written}'\?"):
            texts_needed(broken, methods=["dtw"], styles=["short_fixed"], options=options())
        assert f"write one; did you mean '{written}'?" in lint_dataset(broken)["message"].str.cat()


def test_a_candidate_beside_it_or_another_word_is_not_what_was_meant() -> None:
    scripts = {name: Script(name, sport="tennis", steps=("swing up",)) for name in ("lob", "backhand", "drop")}
    assert meant("lobs", [Question("a", candidates=("lob", "lobs"), answer=0)], scripts) == ""
    assert meant("forehand", [Question("a", candidates=("forehand", "lob"), answer=0)], scripts) == ""
    assert meant("lobs", [Question("a", candidates=("drop", "lobs"), answer=0)], scripts) == "; did you mean 'lob'?"


def test_check_scripts_names_ten_classes_and_says_that_there_are_more(tiny_dataset: Callable[..., Path]) -> None:
    dataset = read_folder(tiny_dataset())
    for count, more in ((10, False), (11, True)):
        names = tuple(f"class {number:02d}" for number in range(count))
        asked = replace(dataset, questions=(Question(dataset.questions[0].clip_id, candidates=names, answer=0),))
        with pytest.raises(
            ActAlignError, match=rf"{count} candidate\(s\) have no script: 'class 00', .*'class 09'"
        ) as caught:
            check_scripts(asked, "short_fixed")
        assert ("'class 09', ...; add them" in str(caught.value)) == more


def test_check_scripts_names_the_styles_there_are(tiny_dataset: Callable[..., Path]) -> None:
    words = r"'poetic'; choose one of \['context_rich', 'short_fixed'\], or add .*scripts/poetic\.json"
    with pytest.raises(ActAlignError, match=words):
        check_scripts(read_folder(tiny_dataset()), "poetic")


def test_statistics_by_hand() -> None:
    # tennis: 2 and 4 steps; judo: 6. Words: four of 1, eight of 4.
    scripts = {
        "a": Script("a", sport="tennis", steps=("swing", "stop")),
        "b": Script("b", sport="tennis", steps=("swing the racket  up", "step back and wait", "run", "stop")),
        "c": Script("c", sport="judo", steps=("grip the right sleeve",) * 6),
    }
    table = statistics(scripts)
    assert list(table.columns) == ["mean", "sd", "n"]
    assert table.loc["sub_actions_per_class"].tolist() == pytest.approx([4.0, (8 / 3) ** 0.5, 3])
    assert table.loc["sub_actions_per_domain"].tolist() == pytest.approx([4.5, 1.5, 2])
    assert table.loc["words_per_sub_action"].tolist() == pytest.approx([3.0, 2**0.5, 12])


def test_statistics_of_one_class_have_no_spread() -> None:
    assert statistics({"lob": GOOD["lob"]})["sd"].drop("words_per_sub_action").tolist() == [0.0, 0.0]


def test_statistics_of_nothing_are_refused() -> None:
    with pytest.raises(ActAlignError, match="no scripts"):
        statistics({})
