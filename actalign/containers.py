"""Whether a video file is all there, by what its container says about its own size. No decoder needed."""

from pathlib import Path
from typing import BinaryIO

from actalign.errors import ActAlignError

TS_PACKET = 188
"""Bytes in a packet of MPEG-TS; each begins with a G."""


def require_whole(path: Path) -> None:
    """Raise ActAlignError if the file ends before its outermost box does.

    A file cut between two packets decodes without any error, so this is the only sign that it was cut. Containers
    that do not say how long they are pass: a live recording, or MPEG-TS cut between two of its own small packets.

    >>> require_whole(Path("nowhere.mp4"))
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.mp4'
    """
    with path.open("rb") as file:
        missing = _missing_bytes(file, path.stat().st_size)
    if missing > 0:
        raise ActAlignError(f"video {path} is truncated: its last {missing} bytes are missing; fetch it again")


def _missing_bytes(file: BinaryIO, size: int) -> int:
    """How far the outermost box reaches beyond the end of the file (0: whole, or it does not say)."""
    head = file.read(12)
    if head[:4] == b"RIFF":  # AVI
        return max(0, 8 + int.from_bytes(head[4:8], "little") - size)
    if head[:4] == b"\x1a\x45\xdf\xa3":  # Matroska, WebM: an EBML header, then one segment
        file.seek(4)
        file.seek(_ebml_size(file) or 0, 1)
        if file.read(4) != b"\x18\x53\x80\x67":
            return 0
        length = _ebml_size(file)
        return 0 if length is None else max(0, file.tell() + length - size)
    if head[4:8] == b"ftyp":  # MP4, MOV
        return _missing_box_bytes(file, size)
    if head[:1] == b"G" and file.seek(TS_PACKET) and file.read(1) == b"G":
        return -size % TS_PACKET
    return 0


def _ebml_size(file: BinaryIO) -> int | None:
    """A variable-length size; None when it means "unknown" (a live recording)."""
    head = file.read(1)
    if head in (b"", b"\0"):
        return None
    length = 9 - head[0].bit_length()
    value = (head[0] & ((1 << (8 - length)) - 1)) << (8 * (length - 1)) | int.from_bytes(file.read(length - 1), "big")
    return None if value == (1 << (7 * length)) - 1 else value


def _missing_box_bytes(file: BinaryIO, size: int) -> int:
    start = 0
    while start + 8 <= size:
        file.seek(start)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        if length < 8:  # 0: to the end of the file
            return 0
        if header[4:8] == b"mdat":
            missing = start + length - size
            if missing > 0:
                return missing
        start += length
    return 0
