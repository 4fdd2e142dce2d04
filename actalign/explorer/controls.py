"""The controls: what the user can choose, slide, type and press. They know the settings, not what is drawn."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

from actalign.explorer.session import Session
from actalign.explorer.view import VARIANTS, Settings, Steps, View
from actalign.records import Clip

WIDEST = 60
"""The largest smoothing width on the slider, in frames: twice the paper's."""
BIAS_EITHER_WAY = 15.0
NARROW, WIDE, TEXT, INDENT = "255px", "320px", "min(380px, 100% - 4px)", "90px"
BEST_OTHER = "the best other candidate"
NO_OTHER = "nothing"
NOTHING = False
"""The value behind it: of None a list of choices says that nothing is chosen, and shows no words."""


class Controls:
    """The widgets of the explorer and the settings they stand for.

    Args:
        session: what there is to choose from.
        start: where the controls stand first; the reset button brings scale, bias and context back there.
        changed: called after each change, with all controls in agreement.
    """

    def __init__(self, session: Session, start: Settings, *, changed: Callable[[], None]):
        self._session, self._start, self._changed = session, start, changed
        self._quiet = False
        self._edited: dict[tuple[str, str], Steps] = dict(start.edited)
        self._editing: tuple[str, str, Steps, Steps] = ("", "", (), ())  # style, class, its steps as shown, as written
        clip = session.dataset.clips[start.clip_id]
        self.sport = _dropdown("Sport", session.sports, clip.sport)
        self.clip = _dropdown("Clip", _clips(session.clips_of(clip.sport)), start.clip_id)
        self.shown = _dropdown("Map A", self._classes(start.clip_id), start.shown)
        against = NOTHING if start.against is None else start.against
        self.against = _dropdown("Map B", self._others(start.clip_id), against)
        self.style = _dropdown("Script style", list(session.dataset.scripts), start.style)
        self.variant = _dropdown("Alignment", [(one.label, name) for name, one in VARIANTS.items()], start.variant)
        self.context = widgets.Checkbox(value=start.context, description="Name the sport in every step", indent=False)
        self.width = widgets.IntSlider(value=start.width, min=1, max=max(WIDEST, start.width), description="Width w")
        middle = math.log10(start.scale)
        self.scale = widgets.FloatLogSlider(
            value=start.scale, min=middle - 1, max=middle + 1, step=0.01, description="Scale", readout_format=".3g"
        )
        self.bias = widgets.FloatSlider(
            value=start.bias, min=start.bias - BIAS_EITHER_WAY, max=start.bias + BIAS_EITHER_WAY, step=0.1,
            description="Bias", readout_format=".2f",
        )  # fmt: skip
        # Without a tooltip a slider's is "null".
        self.width.tooltip = "Frames that are averaged (Eq. 7); 1 is no smoothing"
        self.scale.tooltip = "Scale of the affinity (Eq. 9); at first the checkpoint's"
        self.bias.tooltip = "Bias of the affinity (Eq. 9); at first the checkpoint's"
        self.reset = _button("Reset sliders", "Smoothing off; scale, bias and context as at the start")
        self.step = _dropdown("Edit step", [], None)
        self.text = widgets.Text(
            description="Text", continuous_update=False, placeholder="other words for this step; Enter scores them"
        )
        self.restore = _button("Restore texts", "Undo every edited step")
        self.restore.disabled = not self._edited
        self.play = _button("Play with captions", "Show the clip with the steps of map A as captions")
        self._lay_out()
        self._listen()

    @property
    def settings(self) -> Settings:
        """Where the controls stand."""
        return Settings(
            self.clip.value, self.style.value, scale=self.scale.value, bias=self.bias.value,
            variant=self.variant.value, context=self.context.value, width=self.width.value, shown=self.shown.value,
            against=None if self.against.value is NOTHING else self.against.value, edited=dict(self._edited),
        )  # fmt: skip

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Changes made in the block call nobody."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def follow(self, view: View) -> None:
        """Offer the steps of the class that map A now shows for editing."""
        first = view.shown[0]
        script = self._session.dataset.scripts[view.settings.style][first.class_name]
        editing = (view.settings.style, first.class_name, first.steps, script.steps)
        if editing == self._editing:
            return
        kept = self.step.index if self._editing[1] == first.class_name else 0
        self._editing = editing
        with self.quietly():
            marks = ["" if step == old else " (edited)" for step, old in zip(first.steps, script.steps, strict=True)]
            self.step.options = [
                (f"{number} of {len(marks)}{mark}", number - 1) for number, mark in enumerate(marks, start=1)
            ]
            self.step.index = kept if kept is not None and kept < len(marks) else 0
            self.text.value = first.steps[self.step.value]

    def choose_step(self, row: int) -> None:
        """Put the step of a row of map A into the text box."""
        with self.quietly():
            if row < len(self.step.options):
                self.step.index = row
                self.text.value = self._words()[row]

    def _words(self) -> Steps:
        """The steps offered for editing as last typed, even where they could not be shown."""
        style, class_name, _, written = self._editing
        return self._edited.get((style, class_name), written)

    def _classes(self, clip_id: str) -> list[tuple[str, str]]:
        question = self._session.question(clip_id)
        first = "the best candidate" if question.answer is None else "the answer"
        return [(first, ""), *((self._session.name_of(name), name) for name in question.candidates)]

    def _others(self, clip_id: str) -> list[tuple[str, str | bool]]:
        return [(BEST_OTHER, ""), *self._classes(clip_id)[1:], (NO_OTHER, NOTHING)]

    def _lay_out(self) -> None:
        choices = [self.sport, self.clip, self.style, self.shown, self.against, self.variant]
        sliders = [self.width, self.scale, self.bias]
        for widget in (*choices, *sliders, self.step):
            widget.layout.width, widget.layout.flex = "auto", f"1 1 {NARROW}"
            widget.layout.min_width, widget.layout.max_width = NARROW, WIDE
        for button in (self.reset, self.restore, self.play):
            button.layout.width = "150px"
        self.context.layout.width, self.context.layout.margin = "220px", f"2px 2px 2px {INDENT}"
        self.text.layout.width, self.text.layout.min_width, self.text.layout.flex = "auto", TEXT, "3 1 0%"
        above = _row([*choices, *sliders, self.context, self.reset, self.play])
        self.widget = widgets.VBox([above, _row([self.step, self.text, self.restore])])

    def _listen(self) -> None:
        self.sport.observe(lambda change: self._sport_chosen(), "value")
        self.clip.observe(lambda change: self._clip_chosen(), "value")
        for widget in (self.style, self.shown, self.against, self.variant, self.context, self.width, self.scale,
                       self.bias):  # fmt: skip
            widget.observe(lambda change: self._tell(), "value")
        self.step.observe(lambda change: self._step_chosen(), "value")
        self.text.observe(lambda change: self._text_typed(), "value")
        self.reset.on_click(lambda button: self._reset())
        self.restore.on_click(lambda button: self._restore())

    def _tell(self) -> None:
        if not self._quiet:
            self.restore.disabled = not self._edited
            self._changed()

    def _sport_chosen(self) -> None:
        if self._quiet:
            return
        with self.quietly():
            self.clip.options = _clips(self._session.clips_of(self.sport.value))
            self.clip.index = 0
        self._clip_chosen()

    def _clip_chosen(self) -> None:
        if self._quiet:
            return
        with self.quietly():
            self.shown.options = self._classes(self.clip.value)
            self.against.options = self._others(self.clip.value)
            self.shown.value, self.against.value = "", NOTHING if self._start.against is None else ""
        self._tell()

    def _step_chosen(self) -> None:
        if not self._quiet and self.step.value is not None:
            self.choose_step(self.step.value)

    def _text_typed(self) -> None:
        if self._quiet or self.step.value is None:
            return
        style, class_name, _, written = self._editing  # after a choice that failed, not the controls' style
        place, steps = self.step.value, self._words()
        typed = " ".join(self.text.value.split()) or written[place]  # an emptied box brings the script's own words back
        with self.quietly():
            self.text.value = typed
        changed = (*steps[:place], typed, *steps[place + 1 :])
        if changed == written:
            self._edited.pop((style, class_name), None)
        else:
            self._edited[style, class_name] = changed
        self._tell()

    def _restore(self) -> None:
        self._edited.clear()
        self._step_chosen()
        self._tell()

    def _reset(self) -> None:
        with self.quietly():
            self.width.value, self.scale.value, self.bias.value = 1, self._start.scale, self._start.bias
            self.context.value = self._start.context
        self._tell()


def _dropdown(description: str, options: Sequence[Any], value: Any) -> Any:
    return widgets.Dropdown(description=description, options=options, value=value)


def _button(description: str, tooltip: str) -> Any:
    return widgets.Button(description=description, tooltip=tooltip)


def _row(members: Sequence[Any]) -> Any:
    row = widgets.HBox(list(members))
    row.add_class("actalign-controls")
    return row


def _clips(clips: Sequence[Clip]) -> list[tuple[str, str]]:
    return [(f"{clip.id} ({clip.subset})" if clip.subset else clip.id, clip.id) for clip in clips]
