"""Sphinx's settings. Nothing is fetched and nothing is run: ``docs/build.py`` gathers what this reads."""

import inspect
import pkgutil
import re
from importlib.util import find_spec
from typing import Any, TypeVar

from numpy.typing import ArrayLike
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.typing import stringify_annotation

import actalign

project = "ActAlign"
version = release = actalign.__version__
extensions = ["sphinx.ext.autodoc", "myst_nb"]
exclude_patterns = ["README.md", "CHANGELOG.md"]  # pages include parts of them
nitpicky = True
highlight_language = "none"  # of blocks that name none: folders and formats, no Python
smartquotes = False  # they would make one dash of the two before an option

nb_execution_mode = "off"  # the copies were executed by papermill
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # would come from a network, and nobody would answer a slider;
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]  # so its picture is shown
myst_heading_anchors = 3

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True  # a default as it is written, not as it is on this machine
autodoc_inherit_docstrings = False
autodoc_mock_imports = [] if find_spec("triton") else ["triton"]  # for Linux alone
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"ActAlign {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False

# Python writes NumPy's aliases out; a signature gets the names that the source has.
WRITTEN_OUT = stringify_annotation(ArrayLike, "smart")
SHORT = {"pd": "pandas", "t": "typing"}  # names of modules in annotations that are only text
ARRAY_BEGIN, ARRAY_END = "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[", "]]"
WITHOUT_SECTIONS = ("attribute", "data", "property")
OF_SECTIONS: Any = Config()


class Sections(GoogleDocstring):
    """Args, Returns and Raises as Sphinx wants them; what is returned has its type in the signature, not in words."""

    def _consume_returns_section(self, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:
        return [("", "", self._dedent(self._consume_to_next_section()))]


def write_sections(app: Sphinx, what: Any, name: str, thing: object, options: Any, lines: list[str]) -> None:
    """The sections of a function's or class's docstring. A constant's has none: its words before a colon are words."""
    if what not in WITHOUT_SECTIONS:
        lines[:] = Sections(lines, OF_SECTIONS, app, what, name, thing, options).lines()


def as_in_the_source(signature: str) -> str:
    """A signature with NumPy's own names of its types, and with dots for a default that is no Python, as a function."""
    first, *arrays = signature.replace(WRITTEN_OUT, "~numpy.typing.ArrayLike").split(ARRAY_BEGIN)
    named = (f"~numpy.typing.NDArray[{array.replace(ARRAY_END, ']', 1)}" for array in arrays)
    whole = re.sub("<[^<>]+>", "...", "".join([first, *named]))
    return re.sub(r"\b(pd|t)\.(?=[A-Z])", lambda short: f"~{SHORT[short[1]]}.", whole)


def shorten_signature(*event: Any) -> tuple[str, str | None] | None:
    """A signature as autodoc found it; the last two of the event are its arguments and the returned type."""
    *_, arguments, returned = event
    return arguments and (as_in_the_source(arguments), returned and as_in_the_source(returned))


def is_from_elsewhere(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: Any) -> bool | None:
    """Whether something in a class of ours, with its docstring, was put there by another package or by Python."""
    foreign = inspect.isfunction(thing) and not thing.__module__.startswith("actalign")
    return True if foreign or type(thing).__name__ == "_tuplegetter" else None


def is_known_elsewhere(app: Sphinx, domain: object, node: pending_xref) -> bool | None:
    """Whether a reference is right though no page has it: a thing of another package, to whose pages nothing links
    because their lists would be fetched, or a type variable. Misspelt names and ours without a page are warnings."""
    try:
        thing = pkgutil.resolve_name(node["reftarget"])
    except (ImportError, AttributeError, ValueError):
        return None
    return True if isinstance(thing, TypeVar) or not node["reftarget"].startswith("actalign") else None


def setup(app: Sphinx) -> None:
    """Connects the functions above to the events they are for."""
    app.connect("autodoc-process-docstring", write_sections)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("autodoc-skip-member", is_from_elsewhere)
    app.connect("warn-missing-reference", is_known_elsewhere)
