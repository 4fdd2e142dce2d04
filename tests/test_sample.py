"""The embedded sample as it lies in the repository, and its checkpoint."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoProcessor, PreTrainedTokenizerFast, SiglipModel

from actalign import datasets, paths
from actalign.datasets.registry import verify_registry
from actalign.encoder import load_encoder
from actalign.records import Dataset
from actalign.sample import train
from actalign.sample.build import CLIPS, SEED
from actalign.sample.checkpoint import save_checkpoint, train_tokenizer
from actalign.sample.classes import families
from actalign.sample.evaluate import evaluate
from actalign.sample.motion import CUTAWAY, IDLE
from actalign.sample.render import draw_clip, plan_clips
from actalign.sample.train import Recipe, fit, sigmoid_loss
from actalign.sample.training_data import labelled_frames
from actalign.sample.training_state import save_state
from actalign.text import in_sport
from actalign.video import probe, read_frames


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return datasets.load("sample")


def test_every_file_is_registered_unchanged_and_the_whole_is_small() -> None:
    files = [file for file in paths.SAMPLE.rglob("*") if file.is_file()]
    assert verify_registry(paths.SAMPLE) == len(files) - 1  # all but the registry itself
    assert sum(file.stat().st_size for file in files) < 20e6


def test_counts(sample: Dataset) -> None:
    assert Counter(clip.split for clip in sample.clips.values()) == CLIPS
    assert CLIPS["test"] >= 400 and CLIPS["validation"] >= 120
    assert len({clip.sport for clip in sample.clips.values()}) == 8
    assert len({clip.family for clip in sample.split("test").clips.values()}) == 64
    assert all(len(question.candidates) == 5 for question in sample.questions)
    subsets = Counter(clip.subset for clip in sample.split("test").clips.values())
    assert set(subsets) == {"clean", "late", "nuisance", "both"} and min(subsets.values()) >= 100


def test_the_answer_is_at_any_place_about_as_often(sample: Dataset) -> None:
    places = Counter(question.answer for question in sample.questions)
    assert set(places) == set(range(5)) and min(places.values()) > 80


def test_candidates_are_siblings_of_one_family(sample: Dataset) -> None:
    for question in sample.questions:
        assert {name[:-1] for name in question.candidates} == {sample.clips[question.clip_id].family}


def test_clips_are_h264_and_every_frame_has_a_label(sample: Dataset) -> None:
    for clip in list(sample.clips.values())[::40]:
        assert probe(clip.path).codec == "h264"
        frames, times_s = read_frames(clip)
        assert len(frames) == len(sample.frame_labels[clip.id]) == len(times_s)


def test_labels_name_true_steps_in_order(sample: Dataset) -> None:
    for question in sample.questions:
        if sample.clips[question.clip_id].subset in ("nuisance", "both"):
            continue  # a replay repeats a step
        shown = dict.fromkeys(sample.frame_labels[question.clip_id])
        assert tuple(label for label in shown if label not in (IDLE, CUTAWAY)) == sample.class_steps[question.truth]


def test_the_clips_are_what_the_code_draws(sample: Dataset) -> None:
    planned = {clip.id: clip for split, n in CLIPS.items() for clip in plan_clips(families(SEED), n, split=split)}
    for clip_id in ("test-00003", "validation-00127"):
        drawn = draw_clip(planned[clip_id], SEED)
        stored, _ = read_frames(sample.clips[clip_id])
        assert drawn.labels == sample.frame_labels[clip_id]
        assert np.abs(drawn.frames.astype(float) - stored).mean() < 12  # noise and compression, 0-255
        other = drawn.frames[::-1].astype(float)
        assert np.abs(other - stored).mean() > 1.2 * np.abs(drawn.frames.astype(float) - stored).mean()


def test_the_checkpoint_loads_like_any_hub_model() -> None:
    model, processor = AutoModel.from_pretrained(paths.CHECKPOINT), AutoProcessor.from_pretrained(paths.CHECKPOINT)
    assert isinstance(model, SiglipModel)
    frames = np.zeros((2, 64, 64, 3), dtype=np.uint8)
    batch = processor(images=list(frames), text=["a kick"] * 2, padding="max_length", return_tensors="pt")
    with torch.inference_mode():
        assert model(**batch).logits_per_image.shape == (2, 2)


def test_the_checkpoint_is_as_good_as_its_card_says() -> None:
    model = SiglipModel.from_pretrained(paths.CHECKPOINT)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(paths.CHECKPOINT)
    fresh = labelled_frames(24, seed=77, stride=4, progress=False)
    accuracy = evaluate(model, tokenizer, fresh)
    claimed = json.loads((paths.CHECKPOINT / "training.json").read_text())["accuracy_on_fresh_clips"]
    assert accuracy.sport >= 0.99
    for kind in ("rich", "rich_2", "terse"):
        assert getattr(accuracy, kind) >= 0.70
        assert getattr(accuracy, kind) == pytest.approx(claimed[kind], abs=0.06)  # 24 clips against 96


def test_no_text_of_the_sample_is_truncated(sample: Dataset) -> None:
    encoder = load_encoder(paths.CHECKPOINT, device="cpu")
    texts = [
        in_sport(step, script.sport)
        for scripts in sample.scripts.values()
        for script in scripts.values()
        for step in script.steps
    ]
    assert not any(encoder.truncated(sorted(set(texts))))
    assert encoder.truncated(["both arms raised " * 20]) == [True]


def test_sigmoid_loss_by_hand() -> None:
    logits, truth = torch.tensor([[2.0, -1.0]]), torch.tensor([[True, False]])
    expected = -np.log(1 / (1 + np.exp(-2.0))) - np.log(1 / (1 + np.exp(-1.0)))
    assert sigmoid_loss(logits, truth).item() == pytest.approx(expected, rel=1e-6)


def _weights(model: SiglipModel) -> torch.Tensor:
    return torch.cat([part.flatten() for part in model.state_dict().values()])


def test_a_short_training_run_repeats_itself_resumes_and_saves_a_checkpoint_that_loads(tmp_path: Path) -> None:
    data = labelled_frames(8, seed=0, stride=3, progress=False)
    recipe = replace(Recipe(), steps=4, frames_per_step=8, captions_per_step=8, captions_per_sub_action=3, width=32)
    folders = [tmp_path / name for name in ("whole", "again", "other")]
    for folder in folders:
        folder.mkdir()
    model, tokenizer, _ = fit(recipe, data, data, folder=folders[0], every=2)
    (folders[1] / "training_state.safetensors").write_bytes((folders[0] / "training_state.safetensors").read_bytes())
    taken_up, _, _ = fit(recipe, data, data, folder=folders[1], every=2)  # nothing left to do
    assert not (folders[1] / "training_log.jsonl").exists()
    torch.testing.assert_close(_weights(model), _weights(taken_up), rtol=0, atol=0)
    other, _, _ = fit(replace(recipe, seed=1), data, data, folder=folders[2])
    assert not torch.equal(_weights(model), _weights(other))
    save_checkpoint(model, tokenizer, tmp_path / "made", recipe={}, accuracy={})
    assert load_encoder(tmp_path / "made", device="cpu").width == 32


def test_an_interrupted_training_run_ends_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = labelled_frames(8, seed=0, stride=3, progress=False)
    recipe = replace(Recipe(), steps=4, frames_per_step=8, captions_per_step=8, captions_per_sub_action=3, width=32)
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole, _, _ = fit(recipe, data, data, folder=tmp_path / "whole", every=2)

    class Interrupted(Exception):
        pass

    with monkeypatch.context() as patch, pytest.raises(Interrupted):

        def save_then_stop(*arguments: Any, **named: Any) -> None:
            save_state(*arguments, **named)
            raise Interrupted

        patch.setattr(train, "save_state", save_then_stop)
        fit(recipe, data, data, folder=tmp_path / "broken", every=2)
    resumed, _, _ = fit(recipe, data, data, folder=tmp_path / "broken", every=2)
    torch.testing.assert_close(_weights(whole), _weights(resumed), rtol=0, atol=0)
    steps = [json.loads(line)["step"] for line in (tmp_path / "broken" / "training_log.jsonl").read_text().splitlines()]
    assert steps == [2, 4]


def test_the_tokenizer_ends_and_pads_with_the_same_token_and_ignores_case() -> None:
    tokenizer = train_tokenizer(["kick high", "kick low"], max_length=8)
    upper, lower = (
        tokenizer(text, padding="max_length", max_length=8)["input_ids"] for text in ("KICK High", "kick high")
    )
    assert upper == lower and len(lower) == 8 and lower[-1] == tokenizer.eos_token_id == tokenizer.pad_token_id
