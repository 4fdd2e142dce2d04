"""Timing that two programs share fairly, the machine it was done on, and the file it is written to.

Functions to compare run in one process, in turn, round after round, and a ratio is taken within each round: a
machine that slows down for a minute slows both. Nothing here belongs to one subject.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from actalign import paths
from actalign.cores import available
from actalign.files import write_whole

RESULTS = paths.ROOT / "benchmarks" / "results"
LIBRARIES = (
    *("actalign", "av", "dtw-python", "librosa", "numba", "numpy", "pillow", "scipy", "torch", "transformers"),
    *("pysdtw", "triton", "tslearn"),
)
LEAST_S = 0.1
"""How long a function's turn lasts at least, in seconds."""
REST_S = 0.1
"""Rest before a turn, in seconds: a BLAS lets its threads spin for a while after the last function's work."""
DIGITS = 4
"""Significant digits that are written: more would be noise."""


def machine() -> dict[str, Any]:
    """What the numbers were measured on: processor, cores, memory, systems, versions, date, and the GPU if in use.

    >>> machine()["cores"] >= 1
    True
    """
    found: dict[str, Any] = {
        "cpu": _cpu(),
        "cores": available(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} ({platform.machine()})",
        "python": platform.python_version(),
        "versions": dict(_versions()),
        "date": datetime.now(UTC).date().isoformat(),
    }
    torch = sys.modules.get("torch")  # a script that uses the GPU has imported it
    if torch is not None and torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _cpu() -> str:
    if sys.platform == "darwin":
        named = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return named.stdout.strip() or platform.processor()
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Processor"))]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _versions() -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """One thread for BLAS, OpenMP and torch until the block ends; our own functions take ``threads=1``.

    >>> with single_thread():
    ...     pass
    """
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    with threadpool_limits(limits=1):
        if torch is not None:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(before)


def interleaved(
    functions: Mapping[str, Callable[[], object]], *, repeats: int, least_s: float = LEAST_S
) -> dict[str, list[float]]:
    """Seconds a call of each function in each round: one warm-up of each, then rounds whose order rotates.

    In its turn a function is called until ``least_s`` have passed, and a short one then as long again, which is what
    counts: it meets warm caches and cores that are awake, as a long one does. What it returns is dropped. One that uses
    a GPU must wait for it before it returns.

    >>> taken = interleaved({"a": lambda: None, "b": lambda: None}, repeats=3, least_s=0.0)
    >>> {name: len(seconds) for name, seconds in taken.items()}
    {'a': 3, 'b': 3}
    """
    names = list(functions)
    for name in names:
        functions[name]()
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(REST_S)
            taken[name].append(_seconds_a_call(functions[name], least_s))
    return taken


def _seconds_a_call(function: Callable[[], object], least_s: float) -> float:
    seconds, calls = _seconds_and_calls(function, least_s)
    if calls > 1:
        seconds, calls = _seconds_and_calls(function, least_s)
    return seconds / calls


def _seconds_and_calls(function: Callable[[], object], least_s: float) -> tuple[float, int]:
    calls, passed = 0, 0.0
    start = time.perf_counter()
    while calls == 0 or passed < least_s:
        function()
        calls += 1
        passed = time.perf_counter() - start
    return passed, calls


def summary(times: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest.

    >>> summary([3.0, 1.0, 2.0])
    {'median': 2.0, 'min': 1.0, 'max': 3.0}
    """
    return {"median": statistics.median(times), "min": min(times), "max": max(times)}


def ratio(times: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    """How many times ``other`` goes into ``times``, taken within each round: median, smallest, largest, and rounds.

    >>> ratio([2.0, 9.0, 8.0], [1.0, 3.0, 2.0])
    {'median': 3.0, 'min': 2.0, 'max': 4.0, 'rounds': 3}
    """
    return {**summary([one / two for one, two in zip(times, other, strict=True)]), "rounds": len(times)}


def per(times: Iterable[float], count: float, *, unit: float = 1e-9) -> list[float]:
    """Seconds of runs over ``count`` items -> units (nanoseconds unless said) per item.

    >>> per([6.0], 2, unit=1.0)
    [3.0]
    """
    return [seconds / count / unit for seconds in times]


def rounded(value: Any) -> Any:
    """The same nested value with its floats cut to the digits that are written.

    >>> rounded({"a": [1.234567, 2], "b": 123456.0})
    {'a': [1.235, 2], 'b': 123500.0}
    """
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return value


def in_parts(parts: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each part of a script returns, by name; on stderr as soon as it is known: a later failure does not lose it.

    >>> in_parts({"a": lambda: 1.0, "b": lambda: [2]})
    {'a': 1.0, 'b': [2]}
    """
    found = {}
    for name, part in parts.items():
        found[name] = part()
        print(json.dumps({name: rounded(found[name])}), file=sys.stderr, flush=True)
    return found


def write(subject: str, results: Mapping[str, Any], *, folder: Path | None = None) -> Path:
    """Write ``results`` with the machine and its versions as ``<subject>.json``; returns the path.

    Raises:
        ActAlignError: the file cannot be written.
    """
    content = {"subject": subject, "machine": machine(), **rounded(results)}
    path = (folder or RESULTS) / f"{subject}.json"
    write_whole(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def main(subject: str, run: Callable[..., Mapping[str, Any]], *, devices: Sequence[str] = ()) -> None:
    """The command of a script: run it whole and write its JSON, or with ``--quick`` run it small and print it.

    With ``devices`` there is ``--device``, the first is the default, and each has a file of its own.

    Raises:
        SystemExit: a package is not installed, such as a peer before the first ``make bench``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{subject}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, printed and not written: does it work?")
    if devices:
        parser.add_argument("--device", choices=devices, default=devices[0], help="default %(default)s")
    arguments = vars(parser.parse_args())
    try:
        results = run(**arguments)
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"error: {error.name} is not installed; pip install -c constraints.txt -e '.[all,bench]', or `make bench`"
        ) from error
    if arguments["quick"]:
        print(json.dumps(rounded(results), indent=1))
    else:
        print(f"wrote {write('_'.join([subject, *filter(None, [arguments.get('device')])]), results)}")


def read(subject: str, *, folder: Path | None = None) -> dict[str, Any] | None:
    """What a script wrote; None where it has not been run."""
    path = (folder or RESULTS) / f"{subject}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
