"""Every choice the paper and the released scripts leave open or make differently, each by name.

``options()`` is the paper; ``options("reference")`` is the released scripts, as far as scoring goes. Items that
comments name are those of this list of the differences:

- 1: smoothing is called off in the main run; where on, padding (w - 1)//2 shortens an even-w clip by one frame
- 2: sub-action texts are padded to the longest of their batch, not to the length SigLIP was trained with
- 3: scale and bias of the sigmoid come from another (SigLIP 2) checkpoint than the embeddings
- 4: a sub-action is worded "This is a video of doing {class} in {domain} with {sub-action}"
- 5: the LLM is asked for "at least 10" phrases of a few words, neither of the paper's styles
- 6: a candidate without a script is skipped, so that later candidates' scores move up by one place
- 7: clips that fail are dropped from one array and kept in another, so that rows shift
- 8: the baseline divides each question's class-name matrix by one Frobenius norm
- 9: text masks are applied by frame numbers of the whole video, counted from 0, and blur less
- 10: the frames of all clips are kept in memory
- 11: an answer of the LLM that cannot be read drops its clip

The preset sets items 1, 2, 4, 6, 7 and 8; item 3 needs a second checkpoint (:func:`options` says how). Items 5 and 9
to 11 happen before scoring and are no part of these options; item 5 is the prompt style ``released``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import numpy as np

from actalign.errors import ActAlignError
from actalign.similarity import Padding, Window


@dataclass(frozen=True)
class Options:
    """One named value per choice; the defaults are the paper's.

    Attributes:
        preset: the preset these options started from; for labels and provenance.
        smoothing_width: w of Eq. 7 in frames, 30 in the paper (about 1 s at 30 fps); ``None`` is no smoothing
            (item 1).
        smoothing_stage: smooth the raw embeddings (``"before_norm"``, the order of the paper's equations) or the
            L2-normalised ones (``"after_norm"``). The paper does not say. Eq. 8 normalises again in both.
        smoothing_window: ``"printed"`` sums w + 1 frames for an even w, as Eq. 7 does; ``"exact"`` sums w.
        smoothing_padding: ``"zero"`` keeps every frame; ``"released"`` loses one for an even w (item 1).
        similarity: what is aligned: the ``"affinity"`` of Eq. 9 or the raw ``"cosine"`` of Eq. 8.
        text_template: how a sub-action is worded wherever a method has context: ``"in_sport"`` is the paper's
            "{sub-action} in {sport}", ``"released"`` is item 4 (it tells the text encoder the class name),
            ``"step"`` leaves the context out. For a wording of one's own, write it into the scripts' steps and take
            ``"step"``.
        text_padding: how sub-actions are padded when they are embedded (item 2): pass it to ``embed_texts`` as
            ``group_padding``, with ``questions.text_groups``, which keeps each script a group of its own.
        affinity_scale, affinity_bias: override the checkpoint's own scale and bias (item 3); both or neither.
        mean_pool_frames: average L2-normalised frames or raw ones in the mean-pool rows. The paper does not say.
        class_name_normalisation: the class-name baseline's text rows each of length 1 (``"rows"``, a cosine) or
            all divided by one ``"frobenius"`` norm (item 8).
        missing_script: a candidate without a script is an ``"error"``, or is left out and later scores move up
            one place (``"skip"``, item 6).
        failed_clips: ``"exclude"`` them and report n of how many, or let the rows shift (``"shift_rows"``,
            item 7).
        validated_width: the width chosen on a validation split (``tuning.choose_smoothing_width``), read only
            by the method ``dtw_context_smoothing_validated``.

    Raises:
        ActAlignError: a value is not one of its choices.

    >>> Options().smoothing_width
    30
    """

    preset: Literal["paper", "reference"] = "paper"
    smoothing_width: int | None = 30
    smoothing_stage: Literal["before_norm", "after_norm"] = "before_norm"
    smoothing_window: Window = "printed"
    smoothing_padding: Padding = "zero"
    similarity: Literal["affinity", "cosine"] = "affinity"
    text_template: Literal["step", "in_sport", "released"] = "in_sport"
    text_padding: Literal["max_length", "longest"] = "max_length"
    affinity_scale: float | None = None
    affinity_bias: float | None = None
    mean_pool_frames: Literal["normalised", "raw"] = "normalised"
    class_name_normalisation: Literal["rows", "frobenius"] = "rows"
    missing_script: Literal["error", "skip"] = "error"
    failed_clips: Literal["exclude", "shift_rows"] = "exclude"
    validated_width: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is Literal and value not in get_args(field.type):
                raise ActAlignError(f"option {field.name}={value!r} is unknown; choose one of {get_args(field.type)}")
        for name in ("smoothing_width", "validated_width"):
            width = getattr(self, name)
            whole = isinstance(width, int | np.integer) and not isinstance(width, bool)
            if width is not None and not (whole and width >= 1):
                raise ActAlignError(f"option {name}={width!r} must be None or a whole number of frames, 1 or more")
        if (self.affinity_scale is None) != (self.affinity_bias is None):
            raise ActAlignError(
                f"options affinity_scale={self.affinity_scale!r} and affinity_bias={self.affinity_bias!r} come from "
                "one checkpoint: give both or neither"
            )

    def calibration(self, scale: float | None, bias: float | None) -> tuple[float | None, float | None]:
        """Scale and bias of Eq. 9: those that override, where there are such, else the checkpoint's own, as given.

        >>> Options(affinity_scale=20.0, affinity_bias=-4.0).calibration(100.0, -10.0)
        (20.0, -4.0)
        """
        return (scale, bias) if self.affinity_scale is None else (self.affinity_scale, self.affinity_bias)

    def changes(self) -> dict[str, Any]:
        """The options that differ from their preset.

        >>> options("reference", similarity="cosine").changes()
        {'similarity': 'cosine'}
        """
        start = asdict(PRESETS[self.preset])
        return {name: value for name, value in asdict(self).items() if value != start[name]}


PRESETS: Mapping[str, Options] = MappingProxyType(
    {
        "paper": Options(),
        "reference": Options(
            preset="reference",
            smoothing_width=None,  # item 1
            smoothing_window="exact",  # item 1: the released layer has w terms
            smoothing_padding="released",  # item 1
            text_padding="longest",  # item 2
            text_template="released",  # item 4
            missing_script="skip",  # item 6
            failed_clips="shift_rows",  # item 7
            class_name_normalisation="frobenius",  # item 8
        ),
    }
)


def options(preset: str = "paper", **overrides: Any) -> Options:
    """A preset with some options changed.

    Item 3 needs a second checkpoint, so the preset ``"reference"`` leaves ``affinity_scale`` and
    ``affinity_bias`` at ``None`` (the embedding checkpoint's own) and the caller passes the other one's:
    ``options("reference", affinity_scale=other.scale, affinity_bias=other.bias)`` with
    ``other = load_encoder("google/siglip2-so400m-patch14-384")`` or the SigLIP 2 checkpoint at hand.

    Args:
        preset: ``"paper"`` or ``"reference"``.
        overrides: any field of :class:`Options` but ``preset``.

    Raises:
        ActAlignError: the preset, an option or a value is unknown.

    >>> options(smoothing_width=5).smoothing_width
    5
    >>> options("reference").text_template
    'released'
    """
    if preset not in PRESETS:
        raise ActAlignError(f"preset {preset!r} is unknown; choose one of {tuple(PRESETS)}")
    known = [field.name for field in fields(Options)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ActAlignError(f"unknown options {unknown}; known are {known}")
    return replace(PRESETS[preset], **overrides)
