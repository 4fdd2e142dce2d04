"""The house rules that the import statements must follow, checked on the source."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

import actalign

PACKAGE = Path(actalign.__file__).parent

# A room imports only from rooms before it. A room is a module or a package; what is inside a package is its own.
ROOMS = (
    *("errors", "arrays", "paths", "files", "compiled", "cores", "progress"),
    *("masks", "html", "records"),
    *("text", "scripts", "lint", "llm"),
    "datasets",
    *("containers", "timeline", "video", "fetching", "checkpoints", "accelerator", "preprocessing", "encoder"),
    *("store", "decoding", "estimate", "clip_run", "embeddings"),
    *("similarity", "clip_similarity", "dtw", "stage", "gpu"),
    *("options", "inputs", "methods", "questions", "scoring"),
    *("intervals", "outcomes", "metrics", "tuning", "results", "published"),
    *("study", "order", "report", "examples", "example_scripts"),
    *("projection", "captions", "annotate", "classification"),
    *("error_analysis", "plots", "publication", "explorer"),
    *("notebook", "gallery", "run_records", "run_summary", "runner"),
    *("diagnosis", "cli", "__main__"),
)

# The sample is a shed beside the house: it may use the rooms up to this one, and no room uses it.
SAMPLE = "sample"
SAMPLE_MAY_USE = ROOMS[: ROOMS.index("embeddings") + 1]

# Libraries that only these rooms (or these modules) may import.
ONLY = {
    "av": {"annotate", "video", "sample.render"},
    "datasets": {"datasets.actionatlas.metadata"},
    "llvmlite": {"compiled"},
    "numba": {"compiled"},
    "openai": {"llm"},
    "papermill": {"notebook"},
    "pyarrow": {"datasets.actionatlas.manifest"},
    "safetensors": {"encoder", "store", "examples", "sample"},
    "tokenizers": {"sample"},
    "torch": {"accelerator", "encoder", "gpu", "preprocessing", "sample"},
    "transformers": {"encoder", "sample"},
    "triton": {"gpu.kernels"},
    "typer": {"cli"},
    "yt_dlp": {"fetching.site"},
    "huggingface_hub": {"encoder"},
    "anywidget": {"explorer"},
    "ipywidgets": {"explorer"},
    "pickle": set(),
    "torchvision": set(),
}


def imports(source: str) -> set[str]:
    """Dotted names of everything a source imports, wherever in it; a relative import shows as ``.name``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def _inner(module: str, room: str, other: str) -> str | None:
    """What is wrong with ``module`` in ``room`` importing from the room ``other``; None when nothing is."""
    if other == room:
        return None
    if other == SAMPLE:
        return f"{module} imports {SAMPLE}, which only data makers use"
    if other not in ROOMS:
        return f"{module} imports {other}, which is not in the table of rooms"
    allowed = SAMPLE_MAY_USE if room == SAMPLE else ROOMS[: ROOMS.index(room)]
    return None if other in allowed else f"{module} imports {other}, which comes after {room}"


def violations(sources: Mapping[str, str]) -> list[str]:
    """Every breach in {module inside the package: source}, such as {"dtw.batch": "import torch"}."""
    breaches = []
    for module, source in sources.items():
        room = module.split(".")[0]
        if room not in (*ROOMS, SAMPLE):
            breaches.append(f"{module} is not in the table of rooms; put it where it belongs")
            continue
        for name in sorted(imports(source)):
            top, *rest = name.split(".")
            if name.startswith("."):
                breaches.append(f"{module} imports {name} relatively")
            elif top == "actalign" and rest and rest != ["__version__"]:
                complaint = _inner(module, room, rest[0])
                breaches += [complaint] if complaint else []
            elif top in ONLY and not {room, module} & ONLY[top]:
                breaches.append(f"{module} imports {top}, which only {sorted(ONLY[top]) or 'nobody'} may")
    return breaches


def package_sources() -> dict[str, str]:
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if module:
            sources[module] = path.read_text(encoding="utf-8")
    return sources


def test_every_module_imports_only_from_rooms_before_it() -> None:
    sources = package_sources()
    assert {"errors", "records", "dtw", "dtw.reference", "runner"} <= set(sources)
    assert violations(sources) == []


def test_importing_the_package_itself_imports_nothing() -> None:
    assert imports((PACKAGE / "__init__.py").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("records", "from actalign.metrics import wilson", "records imports metrics, which comes after records"),
        ("records", "import actalign.metrics", "which comes after records"),
        ("dtw.batch", "def f():\n    from actalign import methods", "dtw.batch imports methods, which comes after dtw"),
        ("errors", "from actalign import paths", "which comes after errors"),
        ("methods", "from actalign.sample import sports", "only data makers"),
        ("sample.train", "from actalign.similarity import cosine", "which comes after sample"),
        ("dtw.batch", "from .checks import check", "imports .checks.check relatively"),
        ("dtw.batch", "from . import checks", "relatively"),
        ("dtw.batch", "import torch.nn", "dtw.batch imports torch, which only"),
        ("sample.motion", "import av", "imports av, which only ['annotate', 'sample.render', 'video'] may"),
        ("encoder", "import torchvision", "only nobody may"),
        ("results", "import pickle", "only nobody may"),
        ("utils", "", "utils is not in the table of rooms"),
        ("methods", "from actalign.utils import x", "not in the table of rooms"),
    ],
)
def test_a_breach_is_seen(module: str, source: str, complaint: str) -> None:
    (seen,) = violations({module: source})
    assert complaint in seen


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("metrics", "import numpy as np\nfrom actalign.records import Question"),
        ("dtw.alignment", "from actalign.dtw.checks import check_affinity"),
        ("results", "from actalign import __version__, paths"),
        ("sample.train", "import torch\nfrom actalign.text import in_sport"),
        ("sample.render", "import av"),
    ],
)
def test_what_is_allowed_is_not_a_breach(module: str, source: str) -> None:
    assert violations({module: source}) == []
