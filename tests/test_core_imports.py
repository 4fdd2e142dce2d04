"""Alignment, metrics and plots work where none of the extras is installed."""

import json
import subprocess
import sys
from pathlib import Path

import actalign

PACKAGE = Path(actalign.__file__).parent
CORE = (
    "errors",
    "arrays",
    "paths",
    "files",
    "compiled",
    "cores",
    "progress",
    "masks",
    "html",
    "records",
    "text",
    "scripts",
    "lint",
    "datasets",
    "similarity",
    "clip_similarity",
    "dtw",
    "stage",
    "options",
    "inputs",
    "methods",
    "questions",
    "scoring",
    "intervals",
    "outcomes",
    "metrics",
    "tuning",
    "results",
    "published",
    "study",
    "order",
    "report",
    "example_scripts",
    "captions",
    "plots",
    "publication",
)
# What the extras bring; the core must find none of it.
BLOCKED = (
    *("torch", "transformers", "tokenizers", "huggingface_hub", "safetensors", "av", "tqdm"),
    *("datasets", "pyarrow", "yt_dlp"),
    *("openai", "httpx", "papermill", "nbformat", "nbclient", "ipykernel", "IPython", "jupyter_client"),
    *("ipywidgets", "anywidget"),
)
PROBE = """
import importlib, importlib.abc, json, sys

blocked, modules = map(json.loads, sys.argv[1:3])

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)
        return None

sys.meta_path.insert(0, Blocker())
failed = {}
for module in modules:
    try:
        importlib.import_module(module)
    except ImportError as error:
        failed[module] = str(error)
loaded = sorted({name.split(".")[0] for name in sys.modules} & set(blocked))
print(json.dumps({"failed": failed, "loaded": loaded}))
"""


def probe(modules: list[str]) -> dict[str, object]:
    """Imports modules in a fresh interpreter where BLOCKED cannot be imported; what failed, and what got in."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(BLOCKED), json.dumps(modules)],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def core_modules() -> list[str]:
    """Every module of the core rooms, packages with all that is in them."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in CORE:
            found.append(".".join(("actalign", *parts)).removesuffix(".__init__"))
    return found


def test_the_core_imports_without_any_extra() -> None:
    modules = core_modules()
    assert {module.split(".")[1] for module in modules} == set(CORE)
    assert probe(modules) == {"failed": {}, "loaded": []}


def test_the_probe_sees_a_module_that_needs_an_extra() -> None:
    answer = probe(["actalign.records", "actalign.notebook"])
    assert answer["failed"] == {"actalign.notebook": "No module named 'nbformat' (blocked)"}
