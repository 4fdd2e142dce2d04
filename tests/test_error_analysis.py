"""Modes of error on planted clips: for each, one that it must be found in and one that it must not."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from actalign import plots
from actalign.dtw import align
from actalign.embeddings import TextIndex
from actalign.error_analysis import breakdowns, criteria, tables
from actalign.error_analysis import modes as error_modes
from actalign.error_analysis.clip_factors import clip_factors, readings
from actalign.error_analysis.modes import CRITERIA, LABELS, MODES
from actalign.errors import ActAlignError
from actalign.inputs import QuestionInputs
from actalign.intervals import cluster_interval
from actalign.options import options
from actalign.outcomes import clusters
from actalign.plots.error_analysis import accuracy_over_factor, sport_confusion
from actalign.questions import question_inputs
from actalign.records import Clip, Dataset, FrameEmbeddings, Question, Script
from actalign.text import in_company

D = 8  # directions: 0-2 the answer's steps, 3-5 others, 7 what no text means
IDLE = np.eye(D)[7]
RIGHT = 40
AFFINITY: dict[str, Any] = {"scale": 20.0, "bias": -10.0}  # cosine 0.5 is affinity 0.5
FAULTS = {"unreadable", "truncated", "tied"}


def frame(**parts: float) -> NDArray[np.float64]:
    """A frame of length 1 whose cosine with direction n is that of ``_n``."""
    vector = sum((value * np.eye(D)[int(name[1:])] for name, value in parts.items()), np.zeros(D))
    return np.asarray(vector + np.sqrt(1 - vector @ vector) * IDLE)


def shown(*runs: tuple[int, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.tile(vector, (count, 1)) for count, vector in runs])


def toward(likeness: float) -> NDArray[np.float64]:
    """A text whose cosine with the answer's first step is ``likeness``."""
    return likeness * np.eye(D)[0] + np.sqrt(1 - likeness**2) * np.eye(D)[3]


class World:
    """A data set that is planted clip by clip: two candidates, the answer "<name> a" and its rival "<name> b"."""

    def __init__(self) -> None:
        self.clips: dict[str, Clip] = {}
        self.questions: list[Question] = []
        self.scripts: dict[str, Script] = {}
        self.texts: dict[str, NDArray[np.float64]] = {}
        self.frames: dict[str, FrameEmbeddings] = {}
        self.long: set[str] = set()
        self.known: dict[str, Any] = {}
        for place in range(RIGHT):
            self._plant_right(place)

    def _plant_right(self, place: int) -> None:
        """Told right, with a start, a strength and a likeness of texts of its own."""
        strength = 0.6 + 0.4 * place / RIGHT
        steps = [(6, frame(**{f"_{step}": strength})) for step in range(3)]
        texts = {3: toward(place / (2 * RIGHT))}
        self.plant(f"right {place:02d}", shown((place % 6 + 1, IDLE), *steps), texts=texts)

    def plant(
        self,
        name: str,
        frames_td: NDArray[np.float64],
        *,
        texts: dict[int, NDArray[np.float64]] | None = None,
        answer: tuple[int, ...] = (0, 1, 2),
        rival: tuple[int, ...] = (3, 1, 2),
        label: str = "",
    ) -> None:
        classes = (label or f"{name} a", f"{name} b")
        for class_name, steps in zip(classes, (answer, rival), strict=True):
            words = tuple(f"{name} step {step}" for step in steps)
            self.scripts[class_name] = Script(class_name, "judo", words)
            for word, step in zip(words, steps, strict=True):
                self.texts[word] = (texts or {}).get(step, np.eye(D)[step])
        self.clips[name] = Clip(name, Path(f"{name}.mp4"), sport="judo", subset="late" if "late" in name else "clean")
        self.questions.append(Question(name, classes, 0))
        self.frames[name] = FrameEmbeddings(frames_td.astype(np.float32), np.arange(len(frames_td)) / 10)

    @property
    def dataset(self) -> Dataset:
        return Dataset("planted", Path(), self.clips, tuple(self.questions), {"terse": self.scripts}, **self.known)

    def inputs(self, place: int) -> QuestionInputs:
        return question_inputs(
            self.dataset, self.questions[place], self.frames, texts=self.texts, method="dtw", style="terse",
            options=options(), **AFFINITY,
        )  # fmt: skip

    def factors(self, **changes: Any) -> pd.DataFrame:
        settings = {"method": "dtw", "style": "terse", "options": options(missing_script="skip"), **AFFINITY}
        return clip_factors(self.dataset, self.frames, self.texts, truncated=self.long, **{**settings, **changes})

    def sorted(self) -> pd.DataFrame:
        return error_modes.sort_into_modes(self.factors()).set_index("clip_id", drop=False)

    def held(self, name: str) -> set[str]:
        row = self.sorted().loc[name]
        return {criterion.column for criterion in CRITERIA if row[f"holds: {criterion.column}"]}


STEPS_1_AND_2 = ((6, frame(_1=0.8)), (6, frame(_2=0.8)))
OTHER_FIRST = frame(_0=0.65, _3=0.74)  # the rival's first step fits better, the answer's well enough
PLAIN = shown((4, IDLE), (6, OTHER_FIRST), *STEPS_1_AND_2)


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_told_right_sets_the_thresholds(world: World) -> None:
    factors = world.factors()
    assert factors["right"].all() and len(factors) == RIGHT
    table = error_modes.sort_into_modes(factors)
    for criterion in CRITERIA:
        beyond = table[f"holds: {criterion.column}"]
        assert beyond.mean() <= 0.05, criterion.column
        if criterion.column in ("text_similarity", "step_contrast"):
            assert beyond.sum() == 1, "of 40 values that all differ, the 39th is the limit"
    assert np.isnan(error_modes.thresholds(factors[:20])["onset"]), "of 20 none lies beyond the 95th percentile"
    assert not np.isnan(error_modes.thresholds(factors[:21])["onset"])


def test_a_plain_error_is_none_of_the_modes(world: World) -> None:
    world.plant("plain", PLAIN)
    assert world.held("plain") == set()
    row = world.sorted().loc["plain"]
    assert (row["mode"], row["right"], row["predicted"], row["rival"]) == ("none", False, "plain b", "plain b")
    assert row["margin"] < 0 < row["lead"] and row["margin"] == -row["lead"]


def plant_tie(world: World) -> None:
    both = [frame(**{f"_{step}": 0.7, f"_{step + 3}": 0.7}) for step in range(3)]
    world.plant("planted", shown((4, IDLE), *((6, each) for each in both)), rival=(3, 4, 5))


def plant_almost_a_tie(world: World) -> None:
    first = (frame(_0=0.65, _3=0.7), frame(_1=0.7, _4=0.7), frame(_2=0.7, _5=0.7))
    world.plant("planted", shown((4, IDLE), *((6, each) for each in first)), rival=(3, 4, 5))


def plant_similar_texts(world: World) -> None:
    world.plant("planted", shown((4, IDLE), (6, 0.9 * toward(0.97)), *STEPS_1_AND_2), texts={3: toward(0.97)})


def plant_texts_no_more_alike_than_elsewhere(world: World) -> None:
    world.plant("planted", shown((4, IDLE), (6, frame(_0=0.65, _3=0.7)), *STEPS_1_AND_2), texts={3: toward(0.4)})


def plant_a_step_that_nothing_matches(world: World) -> None:
    world.plant("planted", shown((4, IDLE), (6, frame(_3=0.8)), *STEPS_1_AND_2))


def plant_a_step_that_every_frame_matches(world: World) -> None:
    kept = (frame(_0=0.6, _3=0.79), frame(_0=0.6, _1=0.79), frame(_0=0.6, _2=0.79))
    world.plant("planted", shown((6, kept[0]), *((6, each) for each in kept)))


def plant_a_late_start(world: World) -> None:
    world.plant("planted", shown((40, IDLE), (6, OTHER_FIRST), *STEPS_1_AND_2))


def plant_a_start_no_later_than_elsewhere(world: World) -> None:
    world.plant("planted", shown((6, IDLE), (6, OTHER_FIRST), *STEPS_1_AND_2))


GLIMPSE = frame(_0=0.35, _1=0.35, _3=0.8)


def plant_a_step_of_one_frame(world: World) -> None:
    runs = ((4, IDLE), (6, frame(_0=0.8)), (1, GLIMPSE), *STEPS_1_AND_2)
    world.plant("planted", shown(*runs), rival=(0, 3, 1, 2))


def plant_a_step_of_three_frames(world: World) -> None:
    runs = ((4, IDLE), (6, frame(_0=0.8)), (3, GLIMPSE), *STEPS_1_AND_2)
    world.plant("planted", shown(*runs), rival=(0, 3, 1, 2))


def plant_a_long_text(world: World) -> None:
    world.plant("planted", PLAIN)
    world.long = {"planted step 3"}


def plant_a_long_text_elsewhere(world: World) -> None:
    world.plant("planted", PLAIN)
    world.long = {"right 00 step 3"}


def plant_a_label_of_dashes(world: World) -> None:
    world.plant("planted", PLAIN, label="---")


def plant_a_label_in_another_script(world: World) -> None:
    world.plant("planted", PLAIN, label="\u80cc\u8ca0\u6295")


@pytest.mark.parametrize(
    ("found", "not_found", "criterion", "mode"),
    [
        (plant_tie, plant_almost_a_tie, "tied", "tie"),
        (plant_similar_texts, plant_texts_no_more_alike_than_elsewhere, "text_similarity", "ambiguous"),
        (plant_a_step_that_nothing_matches, plant_almost_a_tie, "step_contrast", "ambiguous"),
        (plant_a_step_that_every_frame_matches, plant_almost_a_tie, "step_contrast", "ambiguous"),
        (plant_a_late_start, plant_a_start_no_later_than_elsewhere, "onset", "shift"),
        (plant_a_step_of_one_frame, plant_a_step_of_three_frames, "single_frame_steps", "single_frame"),
        (plant_a_long_text, plant_a_long_text_elsewhere, "truncated", "truncated"),
        (plant_a_label_of_dashes, plant_a_label_in_another_script, "unreadable", "unreadable"),
    ],
)
def test_of_a_planted_fault_only_its_own_criterion_holds(found: Any, not_found: Any, criterion: str, mode: str) -> None:
    with_it, without = World(), World()
    found(with_it)
    not_found(without)
    assert with_it.held("planted") == {criterion}
    row = with_it.sorted().loc["planted"]
    assert (row["right"], row["mode"]) == (False, mode)
    assert without.held("planted") == set()
    assert (without.sorted().loc["planted", ["right", "mode"]].tolist()) == [False, "none"]


def test_a_missing_script_is_a_fault_and_measures_nothing_that_needs_it(world: World) -> None:
    world.plant("planted", PLAIN)
    del world.scripts["planted a"]
    row = world.sorted().loc["planted"]
    assert world.held("planted") == {"unreadable"} and row["mode"] == "unreadable" and not row["right"]
    assert np.isnan(row["text_similarity"]) and np.isnan(row["onset"])
    assert row[["steps", "path", "vertical_moves"]].isna().all()
    assert row["steps_predicted"] == 3 and row["path_predicted"] == 3 + len(PLAIN) - 1
    binned = breakdowns.factor_bins(world.factors(), resamples=50).groupby("factor")["n"].sum()
    assert binned["path"] == binned["steps"] == RIGHT, "no path is no short path"
    assert binned["seconds"] == RIGHT + 1


@pytest.mark.parametrize("place", [0, 1])
def test_the_only_candidate_with_a_script_is_right_wherever_it_stands(world: World, place: int) -> None:
    del world.scripts["right 00 b"]
    if place:
        question = world.questions[0]
        world.questions[0] = replace(question, candidates=question.candidates[::-1], answer=1)
    row = world.factors().set_index("clip_id").loc["right 00"]
    assert (row["right"], row["tied"], row["predicted"], row["rival"]) == (True, False, "right 00 a", "right 00 b")
    assert row["relation"] == "right" and np.isnan(row["rival_score"]) and row["unreadable"] == 1
    assert not row[[f"offered: {kind}" for kind in criteria.RELATIONS]].any(), "it could be taken for no other"


def test_of_two_modes_the_one_that_is_rarer_where_all_is_right_comes_first() -> None:
    factors = World().factors()
    planted = factors.iloc[[-1]].assign(clip_id="planted", right=False, margin=-0.1, onset=0.9, text_similarity=0.9)
    table = pd.concat([factors, planted], ignore_index=True)
    assert error_modes.sort_into_modes(table)["mode"].iloc[-1] == "ambiguous", "equals go by the order of MODES"
    as_late = table.copy()
    as_late.loc[0, "text_similarity"] = 0.9  # one right prediction is as extreme: no longer the rarest
    assert error_modes.sort_into_modes(as_late)["mode"].iloc[-1] == "shift"


def unusual(criterion: error_modes.Criterion, values: Any) -> Any:
    """The values with the more unusual ones larger."""
    numbers = np.asarray(values, dtype=float)
    return -numbers if criterion.side == "low" else numbers


def some_errors() -> World:
    world = World()
    plant_a_late_start(world)
    world.plant("late plain", PLAIN)
    world.plant("late flat", shown((4, IDLE), (6, frame(_3=0.8)), *STEPS_1_AND_2))
    return world


def test_rarity_is_the_share_of_right_predictions_that_are_as_extreme() -> None:
    factors = some_errors().factors()
    factors.loc[factors["clip_id"].isin(["right 03", "planted"]), "text_similarity"] = np.nan
    table, limits = error_modes.sort_into_modes(factors), error_modes.thresholds(factors)
    assert not np.isnan(list(limits.values())).any(), "39 values are known"
    for criterion in CRITERIA:
        values = unusual(criterion, factors[criterion.column])
        known = values[factors["right"] & ~np.isnan(values)]
        expected = [np.nan if np.isnan(value) else 100 * (known >= value).mean() for value in values]
        np.testing.assert_allclose(table[f"rarity: {criterion.column}"], expected, err_msg=criterion.column)
        holds = values > unusual(criterion, limits[criterion.column])
        np.testing.assert_array_equal(table[f"holds: {criterion.column}"], holds, err_msg=criterion.column)


def test_a_criterion_tells_wrong_from_right_as_all_pairs_of_clips_do() -> None:
    judged = some_errors().sorted()
    table = error_modes.criteria_table(judged).set_index("criterion")
    by_subset = error_modes.criteria_by_subset(judged, resamples=50).set_index(["criterion", "subset"])
    for criterion in CRITERIA:
        values, wrong = judged[criterion.column].astype(float), ~judged["right"]
        row = table.loc[criterion.column]
        assert (row["median_right"], row["median_wrong"]) == (values[~wrong].median(), values[wrong].median())
        for chosen, auroc in (
            (wrong, row["auroc"]),
            (judged["subset"] == "late", by_subset.loc[(criterion.column, "late"), "auroc"]),
        ):
            ours, theirs = (unusual(criterion, values[rows])[:, None] for rows in (chosen, ~chosen))
            assert auroc == pytest.approx(((ours > theirs.T) + (ours == theirs.T) / 2).mean()), criterion.column
        late = by_subset.loc[(criterion.column, "late")]
        assert late["median"] == values[judged["subset"] == "late"].median()
        assert late["share"] == pytest.approx(100 * late["held"] / late["n"])
    assert table["auroc"].nunique() > 2 and list(by_subset.loc["onset"].index) == ["clean", "late"]


def test_counts_add_up_to_the_wrong_predictions(world: World) -> None:
    plant_a_late_start(world)
    world.plant("plain", PLAIN)
    world.plant("plain too", PLAIN)
    counts = error_modes.mode_counts(world.sorted(), resamples=50).set_index("mode")
    assert counts["primary"].to_dict() == {**dict.fromkeys(LABELS, 0), "shift": 1, "none": 2}
    assert (counts["n_wrong"] == 3).all() and (counts["n_right"] == RIGHT).all()
    assert counts["judged"].all() and set(counts.index[counts["of_paper"]]) == {"ambiguous", "shift"}
    assert counts.loc["shift", "held_share"] == pytest.approx(100 / 3)
    assert counts.loc["none", "held"] == 2
    assert counts.loc["tie", "held_right"] == 0 and counts.loc["tie", "held_right_share_high"] > 5
    few = error_modes.sort_into_modes(world.factors().iloc[RIGHT - 3 :])
    short = error_modes.mode_counts(few, resamples=50).set_index("mode")
    assert short.index[short["judged"]].tolist() == ["unreadable", "truncated", "tie"]


def test_lateness_is_seen_in_the_late_subset_and_in_no_other(world: World) -> None:
    for number in range(3):
        world.plant(f"late {number}", shown((40 + number, IDLE), (6, OTHER_FIRST), *STEPS_1_AND_2))
    table = error_modes.criteria_by_subset(world.sorted(), reference="clean", resamples=50)
    late = table[table["subset"] == "late"].set_index("criterion")
    assert (late.loc["onset", "auroc"], late.loc["onset", "held"], late.loc["onset", "wrong"]) == (1.0, 3, 3)
    assert late.loc["truncated", "auroc"] == 0.5
    clean = table[table["subset"] == "clean"]
    assert clean["auroc"].isna().all() and (clean["n"] == RIGHT).all()
    verdicts = tables.subset_verdicts(table.assign(style="terse"), criterion="onset", reference="clean")
    assert verdicts == ["terse: late is told from clean (AUROC 1.00); it holds for 3 of 3 clips against 0 of 40."]
    (blind,) = tables.subset_verdicts(table.assign(style="terse"), criterion="tied", reference="clean")
    assert "late is not told from clean" in blind
    (unknown,) = tables.subset_verdicts(table.assign(style="terse"), criterion="onset", reference="indoors")
    assert "no subset 'indoors'" in unknown


def test_the_table_of_clips_holds_what_the_alignment_says(world: World) -> None:
    world.clips["right 00"] = replace(world.clips["right 00"], family="judo family")
    row = world.factors().set_index("clip_id").loc["right 00"]
    inputs = world.inputs(0)
    read = readings(inputs)
    best = align(inputs.matrices[0])
    assert (row["score"], row["path"], row["frames"], row["steps"]) == (best.score, len(best.path), 19, 3)
    assert row["rival_score"] == read["right 00 b"].alignment.score
    assert row["seconds"] == pytest.approx(1.9)
    assert (row["label"], row["family"]) == ("DTW [missing_script=skip]", "judo family")
    assert row["vertical_moves"] == 2 and row["relation"] == "right" and row["offered: no step in common"] == 0
    assert row["offered: steps replaced"] == 1
    values = np.concatenate([inputs.matrices[0], inputs.matrices[1][:1]])
    assert row["saturated_low"] == (values < 0.001).mean()
    cosines = world.factors(method="dtw_context_cosine", options=options(text_template="step"))
    assert cosines["saturated"].isna().all()


def test_of_three_candidates_the_lead_is_over_the_second_and_the_margin_over_the_best_wrong_one(world: World) -> None:
    for place in (0, -1):
        name = world.questions[place].clip_id
        candidates = (f"{name} b", f"{name} a", "right 20 b")
        world.questions[place] = replace(world.questions[place], candidates=candidates, answer=1)
        inputs = world.inputs(place)
        scores = {each: reading.alignment.score for each, reading in readings(inputs).items()}
        third, second, best = sorted(scores.values())
        world.known = {"class_names": {min(scores, key=lambda each: scores[each]): ("---",)}}
        row = world.factors().set_index("clip_id").loc[name]
        assert third < second < best == scores[f"{name} a"]
        assert row["lead"] == row["margin"] == best - second
        assert row["unreadable"] == 0, "the third is not what the answer was weighed against"
        values = np.concatenate([inputs.matrices[0][:1], *inputs.matrices[1:]])  # two steps are shared
        assert row["saturated_high"] == (values > 0.99).mean() and row["saturated_low"] == (values < 0.001).mean()
        assert row["saturated"] == row["saturated_high"] + row["saturated_low"]
    assert row["saturated_high"] > 0


def test_the_sizes_of_what_was_predicted_are_the_answers_where_it_is_right(world: World) -> None:
    world.plant("planted", shown((4, IDLE), (6, frame(_0=0.8)), *STEPS_1_AND_2), rival=(0, 3, 1, 2))
    row = world.factors().set_index("clip_id").loc["planted"]
    assert row["right"] and row["steps"] == row["steps_predicted"] == 3
    assert row["path"] == row["path_predicted"] and row["vertical_moves"] == row["vertical_moves_predicted"]


def test_texts_padded_with_their_script_are_measured_as_such(world: World) -> None:
    alone = world.factors()
    scripts = [script.steps for script in world.scripts.values()]
    world.texts = {in_company(step, steps): world.texts[step] for steps in scripts for step in steps}
    together = world.factors(options=options(missing_script="skip", text_padding="longest"))
    measured = ["score", "rival_score", *(criterion.column for criterion in CRITERIA)]
    pd.testing.assert_frame_equal(together[measured], alone[measured])


def test_frames_and_texts_of_two_checkpoints_are_refused(world: World) -> None:
    frames, texts = TextIndex(world.frames, encoder="a"), TextIndex(world.texts, encoder="b")  # type: ignore[arg-type]
    with pytest.raises(ActAlignError, match="one checkpoint embedded the frames and another the texts"):
        clip_factors(world.dataset, frames, texts, method="dtw", style="terse", options=options(), **AFFINITY)  # type: ignore[arg-type]


def test_true_steps_say_how_candidates_differ_only_where_all_of_them_are_known(world: World) -> None:
    steps = {"right 00 a": ("toss", "hit"), "right 00 b": ("hit", "toss"), "right 01 a": ("toss",)}
    world.known = {"class_steps": steps, "class_names": {"right 02 a": ("lob", "---")}}
    table = world.factors().set_index("clip_id")
    assert table.loc["right 00", ["offered: same steps", "offered: steps replaced"]].tolist() == [1, 0]
    assert table.loc["right 01", ["offered: no step in common", "offered: steps replaced"]].tolist() == [0, 1]
    assert table["unreadable"].to_dict() == {**dict.fromkeys(table.index, 0), "right 02": 1}


def test_clips_that_cannot_be_right_or_wrong_are_left_out(world: World) -> None:
    world.questions[0] = replace(world.questions[0], answer=None)
    del world.frames["right 01"]
    world.questions[2] = replace(world.questions[2], candidates=("right 02 a",))
    assert len(world.factors()) == RIGHT - 3
    world.questions = [replace(question, answer=None) for question in world.questions]
    with pytest.raises(ActAlignError, match="no clip with a label"):
        world.factors()


def test_where_no_candidate_has_a_script_the_error_does_not_ask_for_labels_alone(world: World) -> None:
    world.scripts = {"another class": Script("another class", "judo", ("step",))}
    with pytest.raises(ActAlignError, match=r"a script of style .terse.,.*or write scripts"):
        world.factors()


@pytest.mark.parametrize("method", ["random", "mean_pool_name", "dtw_context_shuffled", "oracle"])
def test_a_method_without_one_path_is_refused(world: World, method: str) -> None:
    with pytest.raises(ActAlignError, match="choose one that reads scripts and runs once"):
        world.factors(method=method)


def test_errors_of_two_styles_are_not_mixed(world: World) -> None:
    both = pd.concat([world.factors(), world.factors().assign(style="rich")])
    with pytest.raises(ActAlignError, match="one method and style"):
        error_modes.sort_into_modes(both)
    with pytest.raises(ActAlignError, match="no wrong clip has the mode 'tie'"):
        error_modes.choose_error(world.sorted(), "tie")


def reading(texts: tuple[str, ...], texts_kd: Any, affinity_kt: Any) -> criteria.Reading:
    return criteria.Reading(texts, np.array(texts_kd), np.array(affinity_kt), align(affinity_kt))


def test_measures_by_hand() -> None:
    answer = reading(("toss", "hit"), np.eye(2), [[1, 1, 0, 0], [0, 0, 1, 1]])
    rival = reading(("toss", "wait", "hit"), [[2, 0], [1.2, 1.6], [0, 2]], [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    assert criteria.contested_similarity(answer, rival) == pytest.approx((0.6 + 0.8) / 2), "toss and hit against wait"
    assert criteria.least_contrast(np.array([[1.0, 0.2, 0.0], [0.5, 0.0, 0.3]])) == pytest.approx(0.5 - 0.3)
    late = np.array([[0.0, 0.4, 0.5, 1.0], [0.0, 0.1, 0.0, 0.0]])
    assert criteria.onset(late) == criteria.onset(late + 1) == 2 / 4
    flat = reading(("toss", "hit"), np.eye(2), [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
    below = np.diff(flat.alignment.path[:, 1]) == 0
    assert below.any() and criteria.frame_steps(flat)[flat.alignment.path[:-1, 1][below]] == [0], "the first of equals"
    assert criteria.vertical_moves(answer.alignment) == 0 == criteria.vertical_moves(rival.alignment)
    assert criteria.relation(["toss", "hit", "land"], ["hit", "toss"]) == "steps added or left out"
    assert criteria.relation(["toss", "hit"], ["toss", "hit", "hit"]) == "steps added or left out"
    assert criteria.readable("360") and not any(map(criteria.readable, ("lob\x00", "lob\ue000", "lob\u0378")))


def test_a_frame_of_another_clip_is_refused() -> None:
    short, long = (align(np.eye(2)), align(np.ones((2, 3))))
    one = criteria.Reading(("a", "b"), np.eye(2), np.eye(2), short)
    two = criteria.Reading(("a", "b"), np.eye(2), np.ones((2, 3)), long)
    with pytest.raises(ActAlignError, match="two candidates of one clip"):
        criteria.contested_similarity(one, two)
    with pytest.raises(ActAlignError, match=r"speak of \[2, 3\] steps"):
        criteria.Reading(("a", "b", "c"), np.eye(2), np.eye(2), short)
    with pytest.raises(ActAlignError, match=r"speak of \[2, 3\] steps"):
        criteria.Reading(("a", "b"), np.eye(3), np.eye(2), short)
    with pytest.raises(ActAlignError, match=r"speak of \[2, 3\] steps"):
        criteria.Reading(("a", "b"), np.eye(2), np.eye(2), align(np.eye(3)[:, :2]))
    with pytest.raises(ActAlignError, match=r"\[2, 3\] frames"):
        criteria.Reading(("a", "b"), np.eye(2), np.eye(2), long)


# Breakdowns


def test_bins_hold_equal_values_together_and_about_equal_numbers(rng: np.random.Generator) -> None:
    values = rng.normal(size=100)
    found = breakdowns.bins(values, 5)
    assert np.bincount(found).tolist() == [20] * 5
    assert all(values[found == n].max() < values[found == n + 1].min() for n in range(4))
    heavy = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [90, 2, 2, 2, 2, 2])
    groups = breakdowns.bins(heavy, 3)
    assert len({int(group) for group, value in zip(groups, heavy, strict=True) if value == 1.0}) == 1
    assert set(groups.tolist()) == set(range(groups.max() + 1)), "no bin is empty"
    drawn = rng.integers(0, 9, size=70)
    assert np.bincount(breakdowns.bins(drawn, 9)).tolist() == np.bincount(drawn).tolist(), "few values, a bin for each"


def test_a_share_is_never_surer_than_either_interval() -> None:
    hits, names = np.array([True] * 10), [f"family {n // 5}" for n in range(10)]
    all_hit = breakdowns.share(hits, names, seed=0, resamples=100)
    assert all_hit["_high"] == 100 and all_hit["_low"] == pytest.approx(72.2, abs=0.1), "Wilson's: no resample varies"
    split = breakdowns.share(np.arange(10) < 5, names, seed=0, resamples=100)
    assert (split["_low"], split["_high"]) == (0, 100), "the bootstrap's: one family all right, the other all wrong"
    hits = np.repeat([True, True, False, True, False], 8)
    names = np.repeat(list("abcde"), 8).tolist()
    low, high = cluster_interval(hits[:, None], names, seed=2, resamples=30)
    drawn = breakdowns.share(hits, names, seed=2, resamples=30)
    assert (drawn["_low"], drawn["_high"]) == (100 * low.item(), 100 * high.item())


def test_calibration_and_bins_are_means_of_the_clips(world: World) -> None:
    plant_a_late_start(world)
    factors = world.factors()
    table = breakdowns.calibration(factors, most=4, resamples=50)
    assert table["n"].sum() == len(factors)
    assert (table["accuracy"] * table["n"]).sum() == pytest.approx(100 * RIGHT)
    leads = factors.loc[factors["right"], "lead"]
    wrong = factors.loc[~factors["right"], "lead"].item()
    assert (table["auroc"] == (leads > wrong).mean()).all() and (table["n"] > 0).all()
    binned = breakdowns.factor_bins(factors, most=3, seed=2, resamples=50)
    assert set(binned["factor"]) == set(breakdowns.FACTORS)
    for factor, rows in binned.groupby("factor"):
        assert (rows["score"] * rows["n"]).sum() == pytest.approx(factors["score"].sum()), factor
        assert (rows["low"] <= rows["centre"]).all() and (rows["centre"] <= rows["high"]).all()
    shown = factors.assign(saturated=100 * factors["saturated"])
    for row in binned.itertuples():
        part = shown[shown[row.factor].between(row.low, row.high)]
        assert (row.n, row.centre) == (len(part), part[row.factor].median())
        assert row.accuracy == pytest.approx(100 * part["right"].mean())
        low, high = cluster_interval(part[["rival_score"]].to_numpy(), clusters(part), seed=2, resamples=50)
        assert (row.rival_score_low, row.rival_score_high) == (low.item(), high.item())
    percent = binned[binned["factor"] == "saturated"]
    assert percent["high"].max() == 100 * factors["saturated"].max(), "as the figure's axis and the table beside it say"


def test_what_was_measured_of_no_clip_is_left_out_or_said(world: World) -> None:
    alone = world.factors().assign(rival_score=np.nan, lead=np.nan)
    assert breakdowns.factor_bins(alone, resamples=50)[["rival_score", "rival_score_low"]].isna().all(axis=None)
    with pytest.raises(ActAlignError, match="no clip has a lead"):
        breakdowns.calibration(alone)
    with pytest.raises(ActAlignError, match="has a value; measure the clips"):
        breakdowns.factor_bins(alone.assign(**dict.fromkeys(breakdowns.FACTORS, np.nan)))
    assert set(breakdowns.share([], [], seed=0, resamples=1)) == {"", "_low", "_high"}
    assert np.isnan(breakdowns.exceeds([], [1.0])) and np.isnan(breakdowns.exceeds([1.0], [np.nan]))


def test_confusion_counts_every_clip_once_and_chance_every_error_once(world: World) -> None:
    world.plant("plain", PLAIN)
    plant_a_step_of_one_frame(world)
    table = breakdowns.confusion(world.factors(), resamples=50).set_index("relation")
    assert table["n"].to_dict() == {
        "right": RIGHT, "same steps": 0, "steps added or left out": 1, "steps replaced": 1, "no step in common": 0
    }  # fmt: skip
    assert table["share"].sum() == pytest.approx(100)
    assert table["expected"].drop("right").sum() == 2 and np.isnan(table.loc["right", "expected"])
    assert table.loc["steps replaced", "offered"] == RIGHT + 1


def test_an_answer_without_a_script_is_compared_with_nothing(world: World) -> None:
    world.plant("plain", PLAIN)
    del world.scripts["plain a"]
    table = breakdowns.confusion(world.factors(), resamples=50)
    row = table.set_index("relation").loc["steps not comparable"]
    assert (row["n"], row["offered"], row["expected"]) == (1, 1, 1)
    as_text = tables.confusion_for_people(table)
    assert as_text["Taken for: steps not comparable"].tolist() == ["1", "1", "1.0"]
    assert as_text["Taken for: no step in common"].tolist() == ["0", "0", "0.0"]
    ax = sport_confusion(table, Figure().subplots())
    assert [bars.get_label() for bars in ax.containers] == ["steps not comparable"]


def test_confusion_is_of_clips_whatever_they_are_labelled(world: World) -> None:
    world.plant("plain", PLAIN)
    factors = world.factors()
    same_labels = factors.set_axis([0] * len(factors))
    pd.testing.assert_frame_equal(breakdowns.confusion(same_labels, resamples=50),
                                  breakdowns.confusion(factors, resamples=50))  # fmt: skip


# Tables and figure


def drawn_tables(world: World, *, style: str) -> tuple[pd.DataFrame, ...]:
    factors = world.factors().assign(style=style)
    judged = error_modes.sort_into_modes(factors)
    made = (error_modes.mode_counts, breakdowns.factor_bins, breakdowns.calibration, breakdowns.confusion)
    return tuple(breakdowns.each_style(judged, function, resamples=50) for function in made)


def two_styles() -> tuple[pd.DataFrame, ...]:
    first, second = World(), World()
    plant_a_late_start(first)
    first.plant("plain", PLAIN)
    pairs = zip(drawn_tables(first, style="terse"), drawn_tables(second, style="rich"), strict=True)
    return tuple(pd.concat(pair, ignore_index=True) for pair in pairs)


def test_a_sport_called_all_keeps_its_row() -> None:
    table = pd.DataFrame({"sport": ["all", "judo"], "relation": "right", "n": [3, 1], "expected": np.nan})
    shown = tables.confusion_for_people(table)
    assert shown["Sport"].tolist()[:3] == ["all", "judo", "all"] and shown["Right"].tolist()[:3] == ["3", "1", "4"]


def test_texts_say_what_was_counted(world: World) -> None:
    modes, _, _, confused = two_styles()
    terse = tables.modes_for_people(modes[modes["style"] == "terse"]).set_index("Mode")
    assert terse.loc["temporal shift", "Primary mode (clips)"] == "1"
    assert terse.loc["none of these", "Holds (% of wrong)"].startswith("50.0 [")
    assert terse.loc["none of these", "Holds (% of right)"].startswith("95.0 [")
    assert terse["Of the paper"].eq("yes").sum() == 2
    assert tables.not_judged(modes) == "" and tables.not_judged(modes.assign(judged=False)).count("terse: 40") == 1
    people = tables.confusion_for_people(confused[confused["style"] == "terse"]).set_index("Sport")
    assert people.loc["judo", "Right"] == people.loc["all", "Right"] == str(RIGHT)
    unknown = tables.modes_for_people(modes[modes["style"] == "terse"].assign(judged=False))
    assert set(unknown["Primary mode (clips)"]) == {"\N{EN DASH}"}
    plant_a_late_start(world)
    table = world.sorted()
    held = error_modes.what_holds(table.loc["planted"], error_modes.thresholds(table))
    example = {
        "style": "terse",
        "mode": "shift",
        "clip_id": "planted",
        "answer": "a",
        "predicted": "b",
        "margin": -0.01,
    }
    (row,) = tables.examples_for_people([{**example, "held": held}]).to_dict("records")
    assert row["What holds"].startswith("share of the clip before the action: 0.69 > 0.")
    assert row["Margin"] == "\N{MINUS SIGN}0.010"
    assert (row["Clip"], row["Answer"], row["Taken for"]) == ("planted", "a", "b")
    alike = [{"label": "alike", "side": "high", "value": -0.25, "threshold": -0.5}]
    (row,) = tables.examples_for_people([{**example, "held": alike}]).to_dict("records")
    assert row["What holds"] == "alike: −0.25 > −0.5"
    flat = [{"label": "contrast", "side": "low", "value": 0.125, "threshold": 0.25}]
    flat += [{"label": "cut off", "side": "any", "value": 2, "threshold": 0}]
    (row,) = tables.examples_for_people([{**example, "held": flat}]).to_dict("records")
    assert row["What holds"] == "contrast: 0.125 < 0.25; cut off: 2"
    (row,) = tables.examples_for_people([{**example, "margin": None, "held": []}]).to_dict("records")
    assert row["Margin"] == row["What holds"] == "\N{EN DASH}"
    described = tables.criteria_for_people(error_modes.criteria_table(table))
    assert set(described["Mode"]) == {mode.label for mode in MODES}
    words = {"any": "above 0", "high": "above 0", "low": "below 0."}
    for criterion, limit in zip(CRITERIA, described["Holds"], strict=True):
        assert limit.startswith(words[criterion.side])


def test_what_is_not_known_is_a_dash_and_the_rest_its_number() -> None:
    nan, dash = float("nan"), "\N{EN DASH}"
    criterion = {"mode": "shift", "label": "late", "side": "high", "median_wrong": 0.75, "auroc": 0.5}
    measured = [{"threshold": -0.25, "median_right": -0.125}, {"threshold": nan, "median_right": nan}]
    shown = tables.criteria_for_people(pd.DataFrame([criterion | each for each in measured]))
    assert shown[["Holds", "Median, right", "Median, wrong", "AUROC"]].to_numpy().tolist() == [
        ["above −0.25", "−0.12", "0.75", "0.50"], [dash, dash, "0.75", "0.50"]
    ]  # fmt: skip
    subset = {"style": "terse", "n": 9, "wrong": 2, "share": 50.0, "share_low": 25.0, "share_high": 75.0}
    rows = [
        subset | {"criterion": "onset", "subset": "late", "median": 0.5, "auroc": 0.875},
        subset | {"criterion": "onset", "subset": "", "median": nan, "auroc": nan},
        subset | {"criterion": "tied", "subset": "late", "median": 0.0, "auroc": 0.5},
    ]
    shown = tables.subsets_for_people(pd.DataFrame(rows), criterion="onset")
    assert shown["Holds (%)"].tolist() == ["50.0 [25.0, 75.0]"] * 2
    assert shown[["Subset", "Clips", "Wrong", "Median", "AUROC against the reference"]].to_numpy().tolist() == [
        ["late", "9", "2", "0.50", "0.88"], [dash, "9", "2", dash, dash]
    ]  # fmt: skip


def test_a_subset_is_told_in_part_between_both_limits_and_unknown_ones_are_passed_over() -> None:
    aurocs = {"clean": np.nan, "unknown": np.nan, "clear": 0.9, "nearly": 0.89, "partly": 0.6, "blind": 0.59, "": 0.5}
    rows = {"style": "terse", "criterion": "onset", "subset": list(aurocs), "auroc": list(aurocs.values())}
    table = pd.DataFrame(rows | {"n": 4, "held": 1})
    said = tables.subset_verdicts(table, criterion="onset", reference="clean")
    assert [sentence.split(" told")[0] for sentence in said] == [
        "terse: clear is", "terse: nearly is in part", "terse: partly is in part", "terse: blind is not",
        "terse: what has no subset is not",
    ]  # fmt: skip


def test_confusion_and_pairs_are_counted_and_the_most_frequent_first() -> None:
    counted = [("golf", "right", 3, np.nan), ("golf", "same steps", 2, 1.25), ("judo", "same steps", 1, 0.5)]
    table = pd.DataFrame(counted, columns=["sport", "relation", "n", "expected"])
    shown = tables.confusion_for_people(table).set_index("Sport")
    assert shown["Right"].tolist() == ["3", "0", "3", "\N{EN DASH}"]
    assert shown["Taken for: same steps"].tolist() == ["2", "1", "3", "1.8"]
    assert shown["Taken for: steps replaced"].tolist() == ["0", "0", "0", "0.0"]
    errors = [("rich", "x", "y"), ("rich", "y", "x"), ("rich", "w", "v"), ("rich", "w", "v"), ("rich", "a", "b")]
    errors += [("terse", "z", "y")] * 3
    wrong = pd.DataFrame(errors, columns=["style", "answer", "predicted"]).assign(sport="judo")
    pairs = tables.pairs_for_people(wrong)
    assert pairs[["Classes", "Errors"]].to_numpy().tolist() == [["y, z", "3"], ["v, w", "2"], ["x, y", "2"]]
    assert tables.pairs_for_people(wrong, most=1)["Classes"].tolist() == ["y, z"]


def test_the_numbers_beside_the_figure_are_those_drawn() -> None:
    modes, factors, calibration, confused = two_styles()
    table = tables.drawn_values(modes, factors, calibration, confusion=confused)
    assert len(table) == 2 * len(modes) + 3 * len(factors) + len(calibration) + confused["relation"].ne("right").sum()
    shift = table.query("panel == 'modes: held_share' and style == 'terse' and item == 'temporal shift'")
    assert shift[["value", "n"]].to_numpy().tolist() == [[50.0, 2]]
    drawn = modes.query("style == 'terse' and mode == 'shift'")
    assert (
        shift[["low", "high"]].to_numpy().tolist() == drawn[["held_share_low", "held_share_high"]].to_numpy().tolist()
    )
    assert list(table.columns) == ["panel", "style", "item", "x", "value", "low", "high", "n"]
    curves = {"path: accuracy": factors[factors["factor"] == "path"], "lead: accuracy": calibration}
    for panel, curve in curves.items():
        assert table.loc[table["panel"] == panel, "x"].tolist() == curve["centre"].tolist()
    assert "judo: same steps" in set(table.query("panel == 'confusion'")["item"])
    assert set(table.query("panel == 'confusion' and style == 'terse'")["n"]) == {RIGHT + 2}, "all clips of the sport"
    assert table[["panel", "style", "item"]].map(lambda text: isinstance(text, str)).all(axis=None)


def texts_on(figure: Figure) -> list[Text]:
    """Every text on the page, tick labels that are off the axis left out."""
    off = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            drawn = axis.get_major_ticks()
            for tick in axis.majorTicks:
                if tick not in drawn or not low <= tick.get_loc() <= high:
                    off |= {tick.label1, tick.label2}
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
    return [text for text in found if text.get_visible() and text not in off]


@pytest.mark.parametrize(
    ("terse", "rich", "seen"),
    [
        (
            "typed by hand by two coaches",
            "written_by_a_large_language_model",
            ("(a) typed by hand", "(b) written_by_a"),
        ),
        ("written_by_a_large_language_model_1", "written_by_a_large_language_model_2", ("(a) …", "(b) …")),
    ],
)
def test_long_names_of_styles_stop_before_what_stands_beside_them(terse: str, rich: str, seen: tuple[str, str]) -> None:
    modes, factors, calibration, confused = (
        table.replace({"style": {"rich": rich, "terse": terse}}) for table in two_styles()
    )
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, plots.error_analysis_height_in(modes, confused))
        plots.error_analysis(modes, factors, calibration, confusion=confused, figure=figure)
        figure.draw_without_rendering()
    found = [(text.get_text(), text.get_window_extent()) for text in texts_on(figure)]
    (first, one), (second, two) = [(text, box) for text, box in found if text.startswith(("(a) ", "(b) "))]
    notes = [box for text, box in found if text == "primary mode of"]
    assert first.startswith(seen[0]) and second.startswith(seen[1]) and first[3:] != second[3:]
    assert not any(box.overlaps(note) for box in (one, two) for note in notes)


@pytest.mark.parametrize("sports", [("judo",), tuple(f"artistic gymnastics {n:02d}" for n in range(31))])
def test_no_text_of_the_figure_overlaps_another(sports: tuple[str, ...]) -> None:
    modes, factors, calibration, confused = two_styles()
    many = pd.concat([confused.assign(sport=sport) for sport in sports], ignore_index=True)
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, plots.error_analysis_height_in(modes, many))
        axes = plots.error_analysis(modes, factors, calibration, confusion=many, figure=figure)
        figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_on(figure)]
    assert {"(a) terse", "(b) rich", "1 of 2", "0 of 0"} <= {text for text, _ in boxes}
    assert all(figure.bbox.padded(1).containsx(x) for _, box in boxes for x in (box.x0, box.x1))
    overlapping = [(a, b) for (a, one), (b, two) in combinations(boxes, 2) if one.padded(-1).overlaps(two.padded(-1))]
    assert overlapping == []
    names = [tick.get_text() for tick in axes[-2].get_yticklabels()]
    assert len(names) == (1 if len(sports) == 1 else 13) and all(
        tick.get_text() == "" for tick in axes[-1].get_yticklabels()
    )
    plt.close(figure)


def test_three_styles_or_an_unknown_factor_are_refused() -> None:
    modes, factors, calibration, confused = two_styles()
    three = pd.concat([modes, modes.assign(style="third")])
    figure = plt.figure()
    with pytest.raises(ActAlignError, match="room for one or two styles"):
        plots.error_analysis(three, factors, calibration, confusion=confused, figure=figure)
    with pytest.raises(ActAlignError, match="no factor 'mood'"):
        accuracy_over_factor(factors, figure.subplots(), factor="mood")
    plt.close(figure)
