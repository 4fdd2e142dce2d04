"""What is installed here and what works, each with the next step where it does not."""

import importlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

from actalign import paths
from actalign.cores import available
from actalign.errors import ActAlignError

EXTRAS = {
    "encode": ("torch", "transformers", "av", "safetensors", "sentencepiece", "tqdm"),
    "notebooks": ("jupyterlab", "papermill", "nbformat", "ipywidgets", "anywidget"),
    "llm": ("openai",),
    "actionatlas": ("datasets", "yt_dlp", "pyarrow"),
}
IMPORT_PROBLEMS = (ImportError, OSError, RuntimeError, AttributeError)
"""How a package that is installed can still fail to import: torchvision of another build does each of these."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is fine, what was found, and what to do next ("" for nothing)."""

    subject: str
    fine: bool
    text: str
    next_step: str = ""


def install(name: str) -> str:
    """The command that installs an extra, by its name or that of a package in it.

    >>> "[encode]" in install("torch"), "[llm]" in install("llm")
    (True, True)
    """
    extra = next((extra for extra, packages in EXTRAS.items() if name in (extra, *packages)), "all")
    return f"pip install -c constraints.txt -e '.[{extra}]'" if paths.IS_CLONE else f"pip install 'actalign[{extra}]'"


def diagnose(*, checkpoint: str = "", endpoint: bool = False) -> Iterator[Finding]:
    """Look at everything in turn; ``checkpoint`` is loaded too, and ``endpoint`` asks the LLM endpoint for its models.

    >>> next(diagnose()).subject
    'machine'
    """
    yield machine()
    for extra in EXTRAS:
        yield packages(extra)
    yield _tried("device", device, f"reinstall torch: {install('torch')}")
    if paths.SAMPLE.is_dir():
        yield _tried("decoder", decoder, f"reinstall the video decoder: {install('av')}")
    yield _tried(
        "sample",
        sample,
        "get data/sample from the repository again: git checkout data/sample"
        if paths.IS_CLONE
        else "clone the repository and set ACTALIGN_ROOT to the clone: an installed package comes without the sample",
    )
    if checkpoint:
        yield _tried("checkpoint", lambda: loaded(checkpoint), "give a folder written by save_pretrained or a hub id")
    yield models() if endpoint else settings()


def machine() -> Finding:
    """The interpreter, the system, cores and disk."""
    there = next(folder for folder in (paths.ROOT.absolute(), *paths.ROOT.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free / 1e9
    text = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {available()} cores"
    return Finding("machine", True, f"{text}, {free:.0f} GB of disk free")


def packages(extra: str) -> Finding:
    """Whether the packages of an extra can be imported."""
    found, failed = [], []
    for name in EXTRAS[extra]:
        try:
            importlib.import_module(name)
            found.append(f"{name} {_version_of(name)}")
        except IMPORT_PROBLEMS as error:
            failed.append(f"{name} ({_first_line(error)})")
    if not failed:
        return Finding(f"extra {extra}", True, ", ".join(found))
    return Finding(f"extra {extra}", False, f"missing: {', '.join(failed)}", install(extra))


def _version_of(name: str) -> str:
    try:
        return metadata.version(name.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return "(version unknown)"


def _tried(subject: str, look: Callable[[], str], next_step: str) -> Finding:
    try:
        return Finding(subject, True, look())
    except (ActAlignError, *IMPORT_PROBLEMS) as error:
        return Finding(subject, False, _first_line(error), next_step)


def _first_line(error: Exception) -> str:
    return next(filter(None, str(error).splitlines()), type(error).__name__)  # some say nothing


def device() -> str:
    """Where frames would be encoded."""
    from actalign.accelerator import choose

    place = choose("auto")
    if place == "cpu":
        return "cpu: fine for the sample; a large checkpoint takes seconds a frame without a GPU"
    return place


def decoder() -> str:
    """One clip of the sample decoded to its end."""
    from actalign.datasets import load
    from actalign.video import read_frames

    clip = next(iter(load("sample", verify=False).clips.values()))
    frames, _ = read_frames(clip)
    return f"H.264 decodes: {len(frames)} frames of {clip.path.name}"


def sample() -> str:
    """The embedded sample against its registry."""
    from actalign.datasets import load

    dataset = load("sample")
    return f"{len(dataset.clips)} clips, every file as registered"


def loaded(checkpoint: str) -> str:
    """The checkpoint, loaded as for encoding."""
    from actalign.encoder import load_encoder

    encoder = load_encoder(checkpoint)
    return f"{checkpoint}: width {encoder.width}, scale {encoder.scale:.4g}, bias {encoder.bias:.4g}, {encoder.device}"


def settings() -> Finding:
    """Whether an LLM endpoint is set in the environment; nothing is asked, and no key is shown."""
    if not os.environ.get("OPENAI_API_KEY", "").strip():
        text = "no OPENAI_API_KEY in the environment: scripts can be typed by hand or read from a cache of answers"
        return Finding("LLM endpoint", True, text)
    try:
        return Finding("LLM endpoint", True, f"a key is set for {_base_url()}; actalign doctor --endpoint asks it")
    except ActAlignError as error:
        return Finding("LLM endpoint", False, str(error), "set OPENAI_BASE_URL to the address of an endpoint")


def models() -> Finding:
    """The endpoint's list of models, asked with the key of the environment."""
    from actalign.llm.client import list_models

    try:
        answer = list_models()
    except ActAlignError as error:
        return Finding(
            "LLM endpoint", False, str(error), "set OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint"
        )
    if not isinstance(answer, tuple):
        return Finding("LLM endpoint", False, f"{_base_url()}: {answer}", "check OPENAI_BASE_URL and OPENAI_API_KEY")
    listed = ", ".join(answer[:3]) or "none"
    return Finding("LLM endpoint", True, f"{_base_url()} lists {len(answer)} models: {listed}")


def _base_url() -> str:
    """The endpoint's address, checked, as it may not be shown before: people put passwords there."""
    from actalign.llm.client import read_settings

    return read_settings(model="any").base_url
