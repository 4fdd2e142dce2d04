"""Sizes, style and saving: what every figure shares."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from actalign import paths
from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.plots.lettering import fitted_lines, text_width_in

COLUMN_WIDTH_IN = 3.35
PAGE_WIDTH_IN = 6.9
PAGE_HEIGHT_IN = 9.0
NARROW_IN = 5.0
"""A figure of less width has no room for panels or legends side by side."""
WIDTHS_IN = {"column": COLUMN_WIDTH_IN, "page": PAGE_WIDTH_IN}
STYLE_FILE = Path(__file__).parent / "style" / "actalign.mplstyle"

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
BLUE, VERMILLION, GREEN = OKABE_ITO[:3]
INK = "#262626"
GREY = "#737373"

# No date, no library version: only the drawing decides the bytes.
_METADATA: dict[str, dict[str, None]] = {
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
    "png": {"Software": None},
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the package's style, on top of matplotlib's defaults, until the block ends.

    A user's own matplotlibrc plays no part, so that the same inputs give the same figure everywhere.

    >>> with style():
    ...     matplotlib.rcParams["pdf.fonttype"]
    42
    """
    with matplotlib.style.context(["default", STYLE_FILE]):
        yield


def width_in(name: str) -> float:
    """The width in inches of a ``"column"`` or of a ``"page"``.

    Raises:
        ActAlignError: another name.

    >>> width_in("column")
    3.35
    """
    if name not in WIDTHS_IN:
        raise ActAlignError(f"width {name!r} is unknown; choose one of {tuple(WIDTHS_IN)}")
    return WIDTHS_IN[name]


def new_figure(width_in: float = COLUMN_WIDTH_IN, height_in: float = 2.4) -> Figure:
    """An empty figure of that size in inches, with constrained layout.

    >>> figure = new_figure(COLUMN_WIDTH_IN, 2.0)
    >>> figure.get_size_inches().tolist()
    [3.35, 2.0]
    >>> plt.close(figure)
    """
    with style():
        return plt.figure(figsize=(width_in, height_in), layout="constrained")


class PanelLabel(Annotation):
    """A panel's name in the white above its left corner.

    The layout gives it height but no width, so that a long name does not squeeze its panel; one that is longer than
    its panel grows to the left, over the tick labels, rather than into what stands on the right. Where that is not
    enough, it is cut with an ellipsis; ``tail`` is kept.
    """

    def __init__(self, text: str, *, tail: str = "", above_pt: float = 5.0) -> None:
        self._name, self._tail = text, tail
        super().__init__(
            text + tail, (0, 1), xytext=(0, above_pt), xycoords="axes fraction", textcoords="offset points", ha="left",
            va="bottom", color=INK, annotation_clip=False, clip_on=False, parse_math=False,
        )  # fmt: skip

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox:
        box = self.get_window_extent(renderer)
        return Bbox.from_extents(box.x0, box.y0, box.x0 + 1, box.y1)  # a box of no width would not count at all

    def draw(self, renderer: RendererBase) -> None:
        figure = self.get_figure(root=True)
        assert figure is not None and self.axes is not None
        self.xyann = (0, self.xyann[1])
        self.set_text(self._name + self._tail)
        box, panel = self.get_window_extent(renderer), self.axes.get_tightbbox(renderer)
        if panel is not None:
            shift = min(max(0.0, box.x1 - panel.x1), max(0.0, box.x0 - figure.bbox.x0))
            self.xyann = (-shift / figure.dpi * 72, self.xyann[1])
            self._cut((panel.x1 - box.x0 + shift) / figure.dpi, needed_in=box.width / figure.dpi)
        super().draw(renderer)

    def _cut(self, room_in: float, *, needed_in: float) -> None:
        if needed_in > room_in + 0.02 and "\n" not in self._name:
            size = float(self.get_fontsize())
            name_in = max(room_in - text_width_in(self._tail, size_pt=size), text_width_in("mm…", size_pt=size))
            self.set_text(fitted_lines(self._name, name_in, size_pt=size, max_lines=1)[0] + self._tail)


def panel_label(ax: Axes, text: str, *, tail: str = "", above_pt: float = 5.0) -> Axes:
    """Write ``text`` ``above_pt`` points above the left corner of ``ax``, never inside; return ``ax``.

    A text that is too long for the figure is cut before its ``tail``.

    >>> panel_label(Figure().subplots(), "(a) clean").texts[0].get_text()
    '(a) clean'
    """
    if text or tail:
        ax.add_artist(PanelLabel(text, tail=tail, above_pt=above_pt))
    return ax


def save_figure(figure: Figure, stem: str, *, folder: Path | None = None) -> list[Path]:
    """Write ``stem.pdf``, ``.svg`` and ``.png`` (300 dpi) into ``folder`` (``paths.FIGURES``); return their paths.

    Text stays text, the bytes depend on the drawing alone, and each file is replaced in one move.

    Raises:
        ActAlignError: the folder cannot be written, or ``stem`` is not a plain file name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     figure = new_figure(2.0, 1.0)
    ...     [path.name for path in save_figure(figure, "empty", folder=Path(folder))]
    ['empty.pdf', 'empty.svg', 'empty.png']
    >>> plt.close(figure)
    """
    return [
        _replace(folder or paths.FIGURES, stem, suffix, _rendered(figure, suffix))
        for suffix in _METADATA
    ]  # fmt: skip


def _rendered(figure: Figure, suffix: str) -> bytes:
    """The file's bytes. The layout starts from the same state each time, so saving twice gives the same."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=suffix, metadata=_METADATA[suffix])
    return buffer.getvalue()


def _replace(folder: Path, stem: str, suffix: str, content: bytes) -> Path:
    if not stem or Path(stem).name != stem:
        raise ActAlignError(f"figure stem {stem!r} must be a plain file name; give the place as folder=")
    path = folder / f"{stem}.{suffix}"
    write_whole(path, content, remedy="free some space or choose another folder=")
    return path
