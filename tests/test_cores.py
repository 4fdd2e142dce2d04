"""Work shared out over threads: all of it, in order, and no error lost."""

import gc
import math
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from actalign.cores import _quota, available, share_out, threads_for
from actalign.errors import ActAlignError


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.max": "soon\n"}, math.inf),
        ({}, math.inf),
    ],
)
def test_a_containers_quota_counts(tmp_path: Path, files: dict[str, str], cores: float) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _quota(tmp_path) == cores


def test_no_more_cores_are_used_than_the_quota_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actalign.cores._quota", lambda: 1)
    assert available() == 1


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_results_come_in_order(threads: int) -> None:
    assert share_out(lambda number: number**2, range(500), threads=threads) == [number**2 for number in range(500)]
    assert share_out(len, [], threads=threads) == []


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_an_error_is_raised_and_the_threads_serve_again(threads: int) -> None:
    assert share_out(int, range(100), threads=threads) == list(range(100))
    before = threading.active_count()
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            share_out(lambda number: 1 // (number - 7), range(100), threads=threads)
    assert share_out(int, range(100), threads=threads) == list(range(100))
    assert threading.active_count() < before + threads, "no more than those that are kept"


def test_nothing_runs_any_more_when_an_error_is_raised() -> None:
    began, failing, running = threading.Event(), threading.Event(), 0

    def work(number: int) -> None:
        nonlocal running
        if threading.current_thread() is threading.main_thread():
            assert began.wait(timeout=30)
            failing.set()
            raise ValueError("while the other works")
        running += 1
        began.set()
        assert failing.wait(timeout=30)  # or it could come to all the pieces
        time.sleep(0.05)
        running -= 1

    with pytest.raises(ValueError, match="while the other works"):
        share_out(work, range(10), threads=2)
    assert running == 0


def test_work_that_shares_out_work_ends() -> None:
    """The threads are all taken by those who would wait for them."""

    def inner(number: int) -> list[int]:
        return share_out(lambda other: number * other, range(20), threads=2)

    found = share_out(inner, range(20), threads=2)
    assert found == [[number * other for other in range(20)] for number in range(20)]


@contextmanager
def other_thread_kept() -> Iterator[None]:
    """A call in a thread of its own keeps the one other thread busy."""
    taken, free = threading.Event(), threading.Event()

    def keep(number: int) -> None:
        if threading.current_thread().name.startswith("actalign"):
            taken.set()
        assert free.wait(timeout=30)

    busy = threading.Thread(target=share_out, args=(keep, range(2)), kwargs={"threads": 2})
    busy.start()
    try:
        assert taken.wait(timeout=30)
        yield
    finally:
        free.set()
        busy.join(timeout=30)
    assert not busy.is_alive()


def test_calls_from_many_threads_do_not_wait_for_each_other() -> None:
    """One call keeps the other thread; a second one does its work by itself meanwhile."""
    with other_thread_kept():
        assert share_out(int, range(50), threads=2) == list(range(50))


def test_a_call_that_is_over_keeps_nothing_alive() -> None:
    """Although its work for the other thread still waits in the queue, behind the call that keeps that thread."""

    class Piece:
        pass

    with other_thread_kept():
        pieces = [Piece() for _ in range(4)]
        alive = weakref.WeakSet(pieces)
        share_out(lambda piece: None, pieces, threads=2)
        del pieces
        gc.collect()
        assert len(alive) == 0


def test_at_the_end_of_the_interpreter_the_calling_thread_does_all() -> None:
    program = (
        "import atexit, threading, time\n"
        "from actalign.cores import share_out\n"
        "def work():\n"
        "    time.sleep(0.3)\n"
        "    print(share_out(int, range(5), threads=2))\n"
        "share_out(int, range(5), threads=2)\n"
        "atexit.register(work)\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "[0, 1, 2, 3, 4]\n" * 2 and done.stderr == ""


def test_a_forked_process_has_threads_of_its_own() -> None:
    """In a process without other libraries' threads, which may not survive a fork."""
    program = (
        "import os, sys, threading\n"
        "from actalign.cores import share_out\n"
        "def both():\n"
        "    met = threading.Barrier(2, timeout=20)\n"
        "    return share_out(lambda number: met.wait() >= 0, range(2), threads=2) == [True, True]\n"
        "assert both()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if both() else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_pieces_are_drawn_only_as_they_are_needed() -> None:
    """With the other thread stuck, the calling one does all the rest, and there is one piece a thread at a time."""
    stuck, finished, alive = threading.Event(), [], 0
    most = 0

    def pieces() -> Iterator[int]:
        nonlocal alive, most
        for number in range(50):
            alive += 1
            most = max(most, alive)
            yield number
        stuck.set()

    def work(number: int) -> int:
        nonlocal alive
        if threading.current_thread() is not threading.main_thread():
            stuck.wait(timeout=30)
        alive -= 1
        finished.append(number)
        return number

    assert share_out(work, pieces(), threads=2) == list(range(50))
    assert most == 2
    assert sorted(finished) == list(range(50))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_pieces_exist_than_threads(threads: int) -> None:
    class Piece:
        pass

    alive: weakref.WeakSet[Piece] = weakref.WeakSet()
    counts: list[int] = []

    def made(number: int) -> Piece:
        piece = Piece()
        alive.add(piece)
        counts.append(len(alive))
        return piece

    share_out(lambda piece: None, map(made, range(200)), threads=threads)
    assert len(counts) == 200 and max(counts) <= threads


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_after_an_error_nothing_more_is_drawn(threads: int) -> None:
    """Or this would never end: the pieces do not."""

    def work(number: int) -> None:
        if number == 20:
            raise ValueError("the twentieth")

    with pytest.raises(ValueError, match="the twentieth"):
        share_out(work, count(), threads=threads)


def test_one_thread_at_a_time_draws() -> None:
    def slow() -> Iterator[int]:
        for number in range(30):
            time.sleep(0.001)
            yield number

    assert share_out(int, slow(), threads=4) == list(range(30))


def test_an_error_in_drawing_is_raised() -> None:
    def pieces() -> Iterator[int]:
        yield from range(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        share_out(lambda number: number, pieces(), threads=3)


def test_the_number_of_threads() -> None:
    assert threads_for(None) == available() >= 1
    assert threads_for(3) == 3
    for bad in (0, -2, 1.0, True, "2"):
        with pytest.raises(ActAlignError, match="threads is"):
            threads_for(bad)  # type: ignore[arg-type]
