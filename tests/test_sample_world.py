"""The drawn world: its classes, its wording and the files it writes."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from actalign import datasets, paths
from actalign.errors import ActAlignError
from actalign.sample import phrases
from actalign.sample.classes import families, invented_names
from actalign.sample.motion import CUTAWAY, IDLE, SUBSETS, perform
from actalign.sample.poses import ARMS, LEGS
from actalign.sample.render import draw_clip, plan_clips, write_folder
from actalign.sample.sports import CALLS, SPORTS, call_of, sub_action_id
from actalign.sample.training_data import captions, labelled_frames, truth_table
from actalign.sample.wording import STYLES, script_steps, training_caption


def test_every_sport_has_twelve_different_sub_actions_and_uses_every_call_once() -> None:
    assert len(SPORTS) == 8
    for name, sport in SPORTS.items():
        assert len(set(sport.sub_actions)) == 12
        assert all(legs in LEGS and arms in ARMS for legs, arms in sport.sub_actions)
        assert {call_of(name, index) for index in range(12)} == set(CALLS)


def test_a_call_means_another_sub_action_in_most_other_sports() -> None:
    meanings = {
        call: {SPORTS[s].sub_actions[i] for s in SPORTS for i in range(12) if call_of(s, i) == call} for call in CALLS
    }
    assert min(len(poses) for poses in meanings.values()) >= 6


def test_no_training_caption_holds_a_held_out_phrase(training: set[str]) -> None:
    words = (*phrases.LEG_WORDS.values(), *phrases.ARM_WORDS.values())
    kept = {phrase for item in words for phrase in (*item.rich_a, *item.rich_b, *item.terse)}
    held_out = re.compile("|".join(map(re.escape, kept)))
    assert not [text for text in training if held_out.search(text)]
    rng = np.random.default_rng(0)
    seen_by_the_check = script_steps("context_rich", "tennis", (0, 1), rng)[0]
    assert held_out.search(seen_by_the_check)


def test_the_terse_calls_of_scripts_are_no_training_captions() -> None:
    scripts = {template.format(call=call) for template in phrases.CALL_TERSE for call in CALLS}
    training = {template.format(call=call) for template in phrases.CALL_TRAIN for call in CALLS}
    assert not scripts & training


@pytest.fixture(scope="module")
def training() -> set[str]:
    """Every caption that the checkpoint was trained on."""
    recipe = json.loads((paths.CHECKPOINT / "training.json").read_text())["recipe"]
    return set(captions(recipe["captions_per_sub_action"], seed=recipe["seed"]).texts)


@pytest.mark.parametrize("style", STYLES)
def test_no_step_of_the_samples_scripts_is_a_training_caption(style: str, training: set[str]) -> None:
    bare = {text for text in training if not any(sport in text for sport in SPORTS)}
    steps = {step for script in datasets.load("sample").scripts[style].values() for step in script.steps}
    assert not steps & bare
    assert not {f"{step} in {sport}" for step in steps for sport in SPORTS} & training


def test_terse_phrases_have_two_or_three_words() -> None:
    for words in (*phrases.LEG_WORDS.values(), *phrases.ARM_WORDS.values()):
        assert all(2 <= len(phrase.split()) <= 3 for phrase in (*words.terse, *words.train_terse))


def test_a_short_fixed_script_has_ten_phrases_and_a_rich_one_a_phrase_a_step(rng: np.random.Generator) -> None:
    for family in families(3)[::7]:
        for steps in family.classes.values():
            assert len(script_steps("short_fixed", family.sport, steps, rng)) == 10
            assert len(script_steps("context_rich_2", family.sport, steps, rng)) == len(steps)


def test_a_caption_is_true_of_its_own_sub_action_alone_or_of_those_it_cannot_tell_apart(
    rng: np.random.Generator,
) -> None:
    made = captions(5, seed=1)
    rows, ids = [], []
    for number, name in enumerate(SPORTS):
        for index, (legs, arms) in enumerate(SPORTS[name].sub_actions):
            call = CALLS.index(call_of(name, index))
            rows.append([number, list(LEGS).index(legs), list(ARMS).index(arms), call])
            ids.append(sub_action_id(name, index))
    truth = truth_table(np.array(rows), made.claims)
    own = np.repeat(np.arange(96), 5)
    assert truth[own, np.arange(480)].all()
    full = (made.claims[:, [0, 1, 2]] >= 0).all(axis=1)
    assert (truth[:, full].sum(axis=0) == 1).all()


def test_nothing_is_true_of_an_idle_frame() -> None:
    assert not truth_table(np.array([[3, -2, -2, -2]]), captions(5, seed=1).claims).any()


def test_families_have_five_siblings_of_which_three_share_their_steps() -> None:
    made = families(11)
    assert len(made) == 64 and len({family.id for family in made}) == 64
    for family in made:
        assert len(set(family.classes.values())) == 5
        assert max(Counter(frozenset(steps) for steps in family.classes.values()).values()) == 3
        assert all(4 <= len(steps) <= 7 and len(set(steps)) == len(steps) for steps in family.classes.values())


def test_invented_names_are_all_different() -> None:
    names = invented_names([f"class-{n}" for n in range(320)], seed=0)
    assert len({name for drawn in names.values() for name in drawn}) == 320 * 5


def test_planned_clips_are_spread_over_subsets_and_classes() -> None:
    planned = plan_clips(families(0), 448, split="test")
    assert max(Counter(clip.subset for clip in planned).values()) <= 125
    assert set(Counter(clip.family.id for clip in planned).values()) == {7}
    assert len({(clip.family.id, clip.class_id) for clip in planned}) == 320


def test_a_clean_performance_shows_its_steps_once_in_order(rng: np.random.Generator) -> None:
    take = perform("karate", (4, 0, 7), rng)
    shown = list(dict.fromkeys(take.labels))
    assert shown == [sub_action_id("karate", step) for step in (4, 0, 7)]
    assert take.frames.shape == (len(take.labels), 64, 64, 3)


def test_subsets_add_an_idle_start_or_cuts_to_the_crowd(rng: np.random.Generator) -> None:
    takes = {subset: perform("tennis", (1, 2, 3, 4), rng, subset=subset) for subset in SUBSETS}
    assert {subset for subset, take in takes.items() if take.labels[0] == IDLE} == {"late", "both"}
    assert {subset for subset, take in takes.items() if CUTAWAY in take.labels} == {"nuisance", "both"}


def test_each_clip_can_be_drawn_alone() -> None:
    first, second = plan_clips(families(0), 2, split="test")
    alone = draw_clip(second, 5).frames
    draw_clip(first, 5)
    np.testing.assert_array_equal(alone, draw_clip(second, 5).frames)


def test_the_same_seed_writes_the_same_bytes_and_what_is_there_is_kept(tmp_path: Path) -> None:
    planned = plan_clips(families(2), 3, split="test")
    for name in ("once", "again"):
        write_folder(tmp_path / name, planned, seed=2, progress=False)
    files = sorted(file.relative_to(tmp_path / "once") for file in (tmp_path / "once").rglob("*") if file.is_file())
    assert all((tmp_path / "once" / file).read_bytes() == (tmp_path / "again" / file).read_bytes() for file in files)
    kept = tmp_path / "once" / planned[0].path
    kept.write_bytes(b"kept")
    (tmp_path / "once" / planned[1].path).unlink()
    write_folder(tmp_path / "once", planned, seed=2, progress=False)
    assert kept.read_bytes() == b"kept" and (tmp_path / "once" / planned[1].path).stat().st_size > 1000


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("in the way")
    with pytest.raises(ActAlignError, match="choose another --out"):
        write_folder(tmp_path, plan_clips(families(2), 1, split="test"), seed=2, progress=False)


def test_the_render_command_makes_a_folder_that_loads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "actalign.sample.render", "--clips", "6", "--out", str(tmp_path / "more")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "wrote 6 clips" in done.stdout
    data = datasets.load(tmp_path / "more")
    assert len(data.clips) == 6 and set(data.scripts) == set(STYLES)
    refused = subprocess.run([*command[:4], "0", *command[5:]], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "draw at least one" in refused.stderr


def test_training_frames_are_labelled_with_what_they_show() -> None:
    data = labelled_frames(8, seed=5, stride=4, progress=False)
    assert data.frames.dtype == np.uint8 and len(data.frames) == len(data.shown) == len(data.sub_action)
    for shown, index in zip(data.shown, data.sub_action, strict=True):
        assert (index >= 0) == (shown[1] >= 0)
        if index >= 0:
            assert SPORTS[list(SPORTS)[shown[0]]].sub_actions[index][0] == list(LEGS)[shown[1]]


def test_a_training_caption_never_names_a_class(rng: np.random.Generator) -> None:
    names = {
        word for drawn in invented_names(["a", "b", "c"], 0).values() for name in drawn for word in name.split()[:1]
    }
    texts = {training_caption("surfing", index, rng).text for index in range(12) for _ in range(30)}
    assert not [text for text in texts for name in names if name in text]
