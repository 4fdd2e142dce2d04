"""Work shared out over threads: all of it, in order, and no error lost."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from actalign.cores import available, share_out, threads_for
from actalign.errors import ActAlignError


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_results_come_in_order(threads: int) -> None:
    assert share_out(lambda number: number**2, range(500), threads=threads) == [number**2 for number in range(500)]
    assert share_out(len, [], threads=threads) == []


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_an_error_is_raised_and_no_thread_is_left(threads: int) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        share_out(lambda number: 1 // (number - 7), range(100), threads=threads)
    assert threading.active_count() == before


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


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_after_an_error_nothing_more_is_drawn(threads: int) -> None:
    """Or this would never end: the pieces do not."""

    def work(number: int) -> None:
        if number == 20:
            raise ValueError("the twentieth")

    with pytest.raises(ValueError, match="the twentieth"):
        share_out(work, count(), threads=threads)


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
