"""The explorer itself: controls and view, and what happens between them."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ipywidgets as widgets

from actalign.errors import ActAlignError
from actalign.explorer import wording
from actalign.explorer.controls import Controls
from actalign.explorer.picture import Picture, pixels_png, png, static_picture
from actalign.explorer.session import Checkpoint, Session
from actalign.explorer.view import Settings, View
from actalign.explorer.view_widget import ViewWidget
from actalign.records import Dataset, FrameEmbeddings

OLD_CAPTIONS = "The captions are those of earlier settings; press the button for new ones."


def _told(action: Callable[["Explorer"], None]) -> Callable[["Explorer"], None]:
    """Whatever goes wrong in an action stands in the explorer to read; the unforeseen is raised too."""

    @wraps(action)
    def tried(self: "Explorer") -> None:
        try:
            action(self)
        except ActAlignError as error:
            self.screen.problem = f"This cannot be shown: {error}."
        except Exception as error:
            self.screen.problem = f"Something went wrong: {type(error).__name__}: {error}."
            raise

    return tried


class Explorer:
    """Controls above, the view below; make one with :func:`explore` and let a notebook cell show it.

    Where widgets cannot run, the cell shows ``figure()`` instead. ``settings`` and ``view`` say what is shown now;
    ``controls`` and ``screen`` are the widgets, ``widget`` is all of it.
    """

    def __init__(self, session: Session, start: Settings):
        self._session, self._picture = session, Picture()
        self.view: View = session.view(start)
        self._captioned, self._captions = start, ""
        self.screen = ViewWidget()
        self.controls = Controls(session, start, changed=self._move)
        self.controls.play.on_click(lambda button: self._play())
        self.screen.observe(lambda change: self._cell_chosen(), "cell")
        self.widget = widgets.VBox([self.controls.widget, self.screen])
        self.widget.add_class("actalign-explorer")
        self._show()

    @property
    def settings(self) -> Settings:
        """Where the controls stand."""
        return self.controls.settings

    def figure(self) -> Any:
        """What is shown now as a matplotlib Figure of page width."""
        return static_picture(self.view)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widgets, and a picture of the same for where they cannot run."""
        live = self.widget._repr_mimebundle_(**kwargs) or {}
        data, metadata = live if isinstance(live, tuple) else (live, {})
        picture = base64.b64encode(png(self.figure())).decode("ascii")
        return {**data, "image/png": picture, "text/plain": repr(self)}, dict(metadata)

    def __repr__(self) -> str:
        return f"Explorer({self.view.clip.id!r}: {wording.status(self.view)})"

    @_told
    def _move(self) -> None:
        """The controls changed: compute, then show all at once."""
        before, self.view = self.view, self._session.view(self.controls.settings)
        with self.screen.hold_sync():
            if self.view.clip.id != before.clip.id:
                self.screen.video, self.screen.video_text = b"", ""
            elif self.screen.video:
                self.screen.video_text = self._captions if self._map_a() == self._captioned else OLD_CAPTIONS
            self._show()
            self.screen.problem = ""

    def _map_a(self) -> Settings:
        """What map A depends on, and with it the captions: all but the class on map B."""
        return replace(self.view.settings, against=None)

    def _show(self) -> None:
        view, screen = self.view, self.screen
        drawn = self._picture.draw(view)
        with screen.hold_sync():
            screen.png, screen.edges = drawn.png, list(drawn.edges)
            screen.places = [asdict(place) for place in drawn.places]
            screen.steps = [list(shown.steps) for shown in view.shown]
            screen.times_s = view.times_s.round(6).tolist()
            screen.status = wording.status(view)
            screen.notes = " ".join(filter(None, [*view.notes, self._session.left_out]))
            screen.alt = wording.picture(view)
            screen.ranking = _rows(view)
        self.controls.follow(view)
        self._show_cell()

    @_told
    def _play(self) -> None:
        self.controls.play.disabled = True
        try:
            with TemporaryDirectory(prefix="actalign-") as folder, self.screen.hold_sync():
                self.screen.video, self._captions = self._session.annotated(self.view, Path(folder))
                self.screen.video_text, self._captioned = self._captions, self._map_a()
                if self.view.settings == self.settings:  # else what is on the screen is still not what was asked for
                    self.screen.problem = ""
        finally:
            self.controls.play.disabled = False

    @_told
    def _cell_chosen(self) -> None:
        self._show_cell()
        place, row, _ = self.screen.cell
        if place == 0:
            self.controls.choose_step(row)

    def _show_cell(self) -> None:
        """The cell under the cursor, or the nearest there is: the browser may speak of a map that has just gone."""
        screen, shown = self.screen, self.view.shown
        place = _within(screen.cell[0], len(shown))
        row, column = _within(screen.cell[1], len(shown[place].steps)), _within(screen.cell[2], len(self.view.times_s))
        frames = self.view.frames_thwc
        with screen.hold_sync():
            screen.cell = [place, row, column]
            screen.cell_text = wording.cell(self.view, place=place, row=row, column=column)
            screen.frame = b"" if frames is None else pixels_png(frames[column])


def _within(index: int, count: int) -> int:
    return min(max(index, 0), count - 1)


def explore(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    encoder: Checkpoint,
    *,
    clip: str = "",
    style: str = "",
    frame_rate: float | None = None,
) -> Explorer:
    """Look at a data set clip by clip: maps, paths, evidence and ranking under sliders (paper, Eq. 7-13).

    Args:
        dataset: usually one split.
        embeddings: clip id to frame embeddings, as ``embeddings.embed_clips`` gives them.
        encoder: the loaded checkpoint that made them; it embeds the texts, typed ones too.
        clip: which clip comes first; empty: the first.
        style: which prompt style comes first; empty: the first.
        frame_rate: the one given to ``embed_clips``.

    Raises:
        ActAlignError: there are no scripts, no clips with embeddings, or no such clip or style.

    >>> explore(Dataset("mine", Path("."), {}, ()), {}, None)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: data set 'mine' has no scripts to explore; add scripts/<style>.json
    """
    session = Session(dataset, embeddings, encoder, frame_rate=frame_rate)
    return Explorer(session, session.start(clip, style))


def _rows(view: View) -> list[dict[str, Any]]:
    """The ranking as the browser takes it."""
    longest = max(float(view.ranking["score"].abs().max()), 1e-300)
    return [
        {"place": row.place, "name": row.name, "score": wording.ranked_score(row.score), "share": row.score / longest,
         "letter": row.letter, "is_answer": bool(row.is_answer)}
        for row in view.ranking.itertuples(index=False)
    ]  # fmt: skip
