"""Presets and their validation: the paper by default, the released scripts by name."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from actalign.errors import ActAlignError
from actalign.options import PRESETS, Options, options


def test_the_default_is_the_paper() -> None:
    assert options() == Options() == PRESETS["paper"]
    paper = options()
    assert (paper.smoothing_width, paper.smoothing_window, paper.smoothing_padding) == (30, "printed", "zero")
    assert (paper.similarity, paper.text_template, paper.text_padding) == ("affinity", "in_sport", "max_length")
    assert (paper.missing_script, paper.failed_clips) == ("error", "exclude")
    assert paper.class_name_normalisation == "rows"


def test_the_reference_preset_is_the_released_scripts() -> None:
    reference = options("reference")
    changed = {f.name: getattr(reference, f.name) for f in fields(Options)}
    paper = {f.name: getattr(options(), f.name) for f in fields(Options)}
    assert {name: value for name, value in changed.items() if value != paper[name]} == {
        "preset": "reference",
        "smoothing_width": None,
        "smoothing_window": "exact",
        "smoothing_padding": "released",
        "text_padding": "longest",
        "text_template": "released",
        "missing_script": "skip",
        "failed_clips": "shift_rows",
        "class_name_normalisation": "frobenius",
    }


def test_item_3_takes_another_checkpoints_calibration() -> None:
    reference = options("reference", affinity_scale=110.0, affinity_bias=-16.0)
    assert reference.changes() == {"affinity_scale": 110.0, "affinity_bias": -16.0}


def test_overrides_keep_the_rest_and_are_reported() -> None:
    changed = options(smoothing_width=5, mean_pool_frames="raw")
    assert changed.text_template == "in_sport"
    assert changed.changes() == {"smoothing_width": 5, "mean_pool_frames": "raw"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("smoothing_width", 0),
        ("smoothing_width", 2.5),
        ("smoothing_width", True),
        ("validated_width", -1),
        ("smoothing_stage", "during_norm"),
        ("smoothing_window", "wide"),
        ("smoothing_padding", "same"),
        ("similarity", "dot"),
        ("text_template", "bare"),
        ("text_padding", "none"),
        ("mean_pool_frames", "median"),
        ("class_name_normalisation", "none"),
        ("missing_script", "ignore"),
        ("failed_clips", "ignore"),
    ],
)
def test_a_bad_value_is_named(field: str, value: Any) -> None:
    with pytest.raises(ActAlignError, match=f"{field}={value!r}"):
        options(**{field: value})


def test_unknown_preset_or_option_lists_the_known() -> None:
    with pytest.raises(ActAlignError, match=r"'papr' is unknown.*'paper', 'reference'"):
        options("papr")
    with pytest.raises(ActAlignError, match=r"\['width'\].*smoothing_width"):
        options(width=3)


def test_scale_and_bias_come_together() -> None:
    with pytest.raises(ActAlignError, match="give both or neither"):
        options(affinity_scale=100.0)


def test_options_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        options().smoothing_width = 3  # type: ignore[misc]
