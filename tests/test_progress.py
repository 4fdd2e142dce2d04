"""Bars are for those who watch: on a terminal and in a notebook, never where a run is headless or writes to a file."""

import io
import sys

import pytest

from actalign.progress import is_watched


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class OutStream(Stream):
    """As a kernel's stderr: no terminal, and of ipykernel."""


OutStream.__module__ = "ipykernel.iostream"


@pytest.mark.parametrize(
    ("stream", "disabled", "wanted", "watched"),
    [
        (Stream(True), None, True, True),
        (Stream(False), None, True, False),
        (OutStream(False), None, True, True),
        (OutStream(False), "1", True, False),
        (Stream(True), "1", True, False),
        (Stream(True), "0", True, True),
        (Stream(True), "", True, True),
        (Stream(True), None, False, False),
        (OutStream(False), None, False, False),
    ],
)
def test_a_bar_is_shown_only_to_those_who_watch(
    monkeypatch: pytest.MonkeyPatch, stream: Stream, disabled: str | None, wanted: bool, watched: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    if disabled is not None:
        monkeypatch.setenv("TQDM_DISABLE", disabled)
    assert is_watched(wanted) is watched


def test_the_stream_of_a_real_kernel_is_known_by_its_module() -> None:
    from ipykernel.iostream import OutStream as KernelStream

    assert KernelStream.__module__.partition(".")[0] == "ipykernel"
