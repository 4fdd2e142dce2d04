"""What the compute notebooks share: which rows there are, tables over several of them, and what became of clips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actalign import metrics, study
from actalign.datasets import load
from actalign.errors import ActAlignError
from actalign.methods import METHODS
from actalign.options import options
from actalign.questions import texts_needed
from actalign.records import Dataset, FrameEmbeddings, Script
from actalign.scoring import score_dataset

STYLES = ("context_rich", "short_fixed")


class Kept(dict[str, FrameEmbeddings]):
    """Embeddings that say which clips failed, as the ones from disk do."""

    def __init__(self, embeddings: dict[str, FrameEmbeddings]):
        super().__init__(embeddings)
        self.failed: dict[str, str] = {}


@pytest.fixture
def dataset(tiny_dataset: Callable[..., Path]) -> Dataset:
    return load(tiny_dataset())


@pytest.fixture
def embeddings(dataset: Dataset, rng: np.random.Generator) -> Kept:
    counts = {clip: len(dataset.frame_labels[clip]) for clip in dataset.clips}
    return Kept(
        {
            clip: FrameEmbeddings(rng.normal(size=(n, 8)).astype(np.float32), np.arange(n) / 15)
            for clip, n in counts.items()
        }
    )


@pytest.fixture
def scores(dataset: Dataset, embeddings: Kept, rng: np.random.Generator) -> pd.DataFrame:
    paper = options(validated_width=1)
    wanted = texts_needed(dataset, methods=list(METHODS), styles=STYLES, options=paper)
    texts = dict(zip(wanted, rng.normal(size=(len(wanted), 8)), strict=True))
    return study.score_methods(
        dataset, embeddings, texts, methods=list(METHODS), styles=STYLES, options=paper, scale=10.0, bias=-5.0
    )


def test_every_method_is_scored_once_in_each_style_it_reads(scores: pd.DataFrame) -> None:
    rows = scores[["method", "style"]].drop_duplicates().values.tolist()
    expected = [
        [name, style] for name, method in METHODS.items() for style in (STYLES if method.needs_script else ("",))
    ]
    assert rows == expected


def test_no_methods_are_an_error(dataset: Dataset, embeddings: Kept) -> None:
    with pytest.raises(ActAlignError, match="no methods to score"):
        study.score_methods(dataset, embeddings, {}, methods=[], styles=STYLES, options=options())


def test_what_is_random_is_drawn_by_the_seed(dataset: Dataset, embeddings: Kept) -> None:
    tables = [
        study.score_methods(dataset, embeddings, {}, methods=["random"], styles=[], options=options(), seed=seed)
        for seed in (0, 1, 1)
    ]
    assert tables[1].equals(tables[2]) and not tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("width", "every_frame", "labels", "left_out"),
    [
        (5, True, True, set()),
        (None, True, True, {"dtw_context_smoothing_validated"}),
        (5, False, True, {"oracle"}),
        (5, True, False, {"oracle"}),
    ],
)
def test_what_the_data_do_not_allow_is_left_out(
    dataset: Dataset, width: int | None, every_frame: bool, labels: bool, left_out: set[str]
) -> None:
    bare = Dataset(dataset.name, dataset.root, dataset.clips, dataset.questions, dataset.scripts)
    chosen = study.methods_for(dataset if labels else bare, validated_width=width, every_frame=every_frame)
    assert chosen == tuple(name for name in METHODS if name not in left_out)


def test_frame_labels_without_true_steps_are_nothing_for_the_oracle(dataset: Dataset) -> None:
    assert "oracle" not in study.methods_for(replace(dataset, class_steps={}), validated_width=5)


def test_rows_of_takes_the_style_only_where_a_method_reads_scripts(scores: pd.DataFrame) -> None:
    assert set(study.rows_of(scores, "dtw", style="short_fixed")["style"]) == {"short_fixed"}
    assert set(study.rows_of(scores, "random", style="short_fixed")["style"]) == {""}
    with pytest.raises(ActAlignError, match=r"no scores of method 'dtw' in style 'terse'; score it, .*'random'"):
        study.rows_of(scores, "dtw", style="terse")


def test_a_method_of_ones_own_is_scored_and_compared_by_its_name(
    dataset: Dataset, embeddings: Kept, rng: np.random.Generator, tmp_path: Path
) -> None:
    own = replace(METHODS["order_free_max_per_step"], name="mine", label="Mine")
    wanted = texts_needed(dataset, methods=[own, "random"], styles=STYLES, options=options())
    texts = dict(zip(wanted, rng.normal(size=(len(wanted), 8)), strict=True))
    scores = study.score_methods(
        dataset, embeddings, texts, methods=[own, "random"], styles=STYLES, options=options(), scale=10.0, bias=-5.0
    )
    scores.to_csv(tmp_path / "scores.csv", index=False)
    for table in (scores, pd.read_csv(tmp_path / "scores.csv")):
        assert study.paired_table(table, [("mine", "random")], style=STYLES[0])["n_common"].item() > 0


def test_the_paired_table_is_the_first_minus_the_second(scores: pd.DataFrame) -> None:
    pairs = [("dtw_context", "oracle"), ("oracle", "dtw_context"), ("dtw", "dtw")]
    table = study.paired_table(scores, pairs, style="short_fixed", resamples=200)
    assert table[["method", "against"]].values.tolist() == [list(pair) for pair in pairs]
    labels = [[METHODS[name].label for name in pair] for pair in pairs]
    assert table[["label", "against_label"]].values.tolist() == labels
    assert set(table["style"]) == {"short_fixed"}
    top1 = {
        name: metrics.topk_table(study.rows_of(scores, name, style="short_fixed"), resamples=1).loc[0, "top1"]
        for name in ("dtw_context", "oracle")
    }
    assert table.loc[0, "difference"] == pytest.approx(top1["dtw_context"] - top1["oracle"])
    assert table.loc[1, "difference"] == -table.loc[0, "difference"]
    assert table.loc[0, "only_first"] == table.loc[1, "only_second"]
    assert table.loc[2, ["difference", "difference_low", "difference_high", "mcnemar_p"]].tolist() == [0, 0, 0, 1]
    with pytest.raises(ActAlignError, match="no pairs"):
        study.paired_table(scores, [], style="short_fixed")


def test_the_paired_table_passes_on_the_seed(scores: pd.DataFrame) -> None:
    pair = [study.rows_of(scores, name, style="short_fixed") for name in ("dtw", "oracle")]
    lows = []
    for seed in range(4):
        table = study.paired_table(scores, [("dtw", "oracle")], style="short_fixed", seed=seed, resamples=1)
        lows.append(table["difference_low"].item())
        assert lows[-1] == metrics.paired_difference(pair[0], pair[1], seed=seed, resamples=1).low
    assert len(set(lows)) > 1


def test_clips_taken_out_count_as_failed(dataset: Dataset, embeddings: Kept) -> None:
    embeddings.failed = {"lost": "no video"}
    gone = next(iter(dataset.clips))
    fewer = study.Without(embeddings, [gone])
    assert gone not in fewer and set(fewer) == set(dataset.clips) - {gone}
    assert len(fewer) == len(dataset.clips) - 1
    assert set(fewer.failed) == {gone, "lost"}
    with pytest.raises(KeyError, match="left out on purpose"):
        fewer[gone]
    table = score_dataset(dataset, fewer, {}, method="random", options=options())
    assert table.loc[table["score"].isna(), "clip_id"].unique().tolist() == [gone]
    assert gone in embeddings, "the embeddings themselves are left as they were"


def test_script_statistics_have_the_columns_of_the_published_table(dataset: Dataset) -> None:
    from actalign.published import table1

    table = study.script_statistics(dataset)
    assert table["style"].tolist() == list(dataset.scripts)
    assert list(table.columns) == list(table1().columns[: len(table.columns)])
    assert table["steps_mean"].tolist() == [3.0, 3.0]
    with pytest.raises(ActAlignError, match="no scripts to describe"):
        study.script_statistics(Dataset("bare", dataset.root, dataset.clips, dataset.questions))


def test_script_statistics_are_of_classes_sports_and_steps_in_turn(dataset: Dataset) -> None:
    steps = {"lob": ("step back", "swing the racket up"), "serve": ("toss",), "throw": ("turn in",)}
    sports = {"lob": "tennis", "serve": "tennis", "throw": "judo"}
    scripts = {name: Script(name, sports[name], texts) for name, texts in steps.items()}
    row = study.script_statistics(replace(dataset, scripts={"mine": scripts})).iloc[0]
    counts: dict[str, list[float]] = {"steps": [2, 1, 1], "domain": [1.5, 1], "words": [2, 4, 1, 2]}
    for name, values in counts.items():
        assert (row[f"{name}_mean"], row[f"{name}_sd"]) == pytest.approx((np.mean(values), np.std(values)))


def test_the_clip_table_counts_frames_and_names_failures(dataset: Dataset, embeddings: Kept) -> None:
    first, second, third, *_ = dataset.clips
    embeddings.failed = {first: "cannot be read"}
    del embeddings[first], embeddings[second]
    embeddings[third] = FrameEmbeddings(np.ones((1, 2), np.float32), np.zeros(1))
    table = study.clip_table(dataset, embeddings).set_index("clip_id")
    assert table["split"].to_dict() == {clip.id: clip.split for clip in dataset.clips.values()}
    assert table["state"].value_counts().to_dict() == {"done": len(dataset.clips) - 2, "failed": 2}
    assert table.loc[[first, second], "reason"].tolist() == ["cannot be read", "not embedded"]
    assert table.loc[third, ["frames", "seconds", "frames_per_second"]].tolist() == [1, 0, 0]
    uneven = embeddings | {third: FrameEmbeddings(np.ones((4, 2), np.float32), np.array([1.0, 1.1, 1.2, 2.3]))}
    row = study.clip_table(dataset, uneven).set_index("clip_id").loc[third]
    assert row[["seconds", "frames_per_second"]].tolist() == pytest.approx([1.4, 10]), "the median frame's"
    last = list(dataset.clips)[-1]
    assert table.loc[last, "frames"] == len(dataset.frame_labels[last])
    assert table.loc[last, "seconds"] == pytest.approx(table.loc[last, "frames"] / 15, abs=1e-6)
    assert table.loc[last, "frames_per_second"] == pytest.approx(15)
