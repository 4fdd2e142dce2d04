"""Whether a video file is all there, by what its container says of itself. No decoder needed."""

from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from actalign.errors import ActAlignError

EBML, SEGMENT, CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
"""How a Matroska file, its one segment, and each of the segment's clusters of packets begin."""
TS_PACKETS = {0: 188, 4: 192}
"""Bytes in a packet of MPEG-TS (M2TS: with a time of four bytes before it), by where in it the G stands."""
BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""What an MP4 or MOV file may begin with."""


def require_whole(path: Path) -> None:
    """Raise ActAlignError if the file ends before its outermost box does, or lost its order within.

    A file cut between two packets decodes without any error, so this is the only sign that it was cut. Containers
    that do not say how long they are pass: a live recording, MPEG-TS cut between two of its own small packets, MP4 cut
    between two fragments. In Matroska and WebM, whose decoder goes on behind what it cannot read, the elements are
    followed one by one.

    >>> require_whole(Path("nowhere.mp4"))
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.mp4'
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        missing = _missing_bytes(file, size)
    if missing > 0:
        raise ActAlignError(f"video {path} is truncated: its last {missing} bytes are missing; fetch it again")
    require_order(path)


def require_order(path: Path) -> None:
    """Raise ActAlignError if a Matroska file lost its order within; that its end is missing does not matter.

    >>> require_order(Path("nowhere.mp4"))
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.mp4'
    """
    status = path.stat()
    lost = _lost_in(path, status.st_size, status.st_mtime_ns)
    if lost is not None:
        raise ActAlignError(f"video {path} is damaged: nothing of Matroska begins at byte {lost}; fetch it again")


@lru_cache(maxsize=1024)
def _lost_in(path: Path, size: int, changed: int) -> int | None:
    """As :func:`_lost_at`; a long video with many clips is looked through once."""
    with path.open("rb") as file:
        return _lost_at(file, size)


def _missing_bytes(file: BinaryIO, size: int) -> int:
    """How far the outermost box reaches beyond the end of the file (0: whole, or it does not say)."""
    head = file.read(12)
    if head[:4] == b"RIFF":  # AVI
        return max(0, 8 + int.from_bytes(head[4:8], "little") - size)
    if head[:4] == EBML:  # Matroska, WebM: an EBML header, then one segment
        end = _segment_end(file)
        return 0 if end is None else max(0, end - size)
    if head[4:8] in BOXES:  # MP4, MOV
        return _missing_box_bytes(file, size)
    for place, packet in TS_PACKETS.items():
        file.seek(place)
        if file.read(2 * packet + 1)[::packet] == b"GGG":  # one G alone may be by chance, or a GIF's
            return -size % packet
    return 0


def _segment_end(file: BinaryIO) -> int | None:
    """Where the segment of a Matroska file ends, which is then where the file stands; None if it does not say."""
    file.seek(len(EBML))
    file.seek(_ebml_size(file) or 0, 1)
    if file.read(4) != SEGMENT:
        return None
    length = _ebml_size(file)
    return None if length is None else file.tell() + length


def _lost_at(file: BinaryIO, size: int) -> int | None:
    """Where the elements of a Matroska file stop following each other; None if they never do, or it is another file."""
    if file.read(4) != EBML or (end := _segment_end(file)) is None:
        return None
    while (place := file.tell()) < min(end, size):
        name = file.read(1)
        if name[0] < 0x10:  # a name has four bytes at most
            return place
        name += file.read(8 - name[0].bit_length())
        length = _ebml_size(file)
        if length is None and name == CLUSTER:
            return None  # of unknown length: a live recording
        if length is None or file.tell() + length > end:
            return place if end <= size else None  # else it is what is missing at the end
        if name != CLUSTER:  # whose own elements follow at once
            file.seek(length, 1)
    return None


def _ebml_size(file: BinaryIO) -> int | None:
    """A variable-length size; None when it means "unknown" (a live recording)."""
    head = file.read(1)
    if head in (b"", b"\0"):
        return None
    length = 9 - head[0].bit_length()
    value = (head[0] & ((1 << (8 - length)) - 1)) << (8 * (length - 1)) | int.from_bytes(file.read(length - 1), "big")
    return None if value == (1 << (7 * length)) - 1 else value


def _missing_box_bytes(file: BinaryIO, size: int) -> int:
    """Bytes that a box of pictures lacks; of a file in fragments also what is sure to follow its last box."""
    start, name, fragments = 0, b"", False
    while start + 8 <= size:
        file.seek(start)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        if length < 8:  # 0: to the end of the file
            return 0
        name = header[4:8]
        fragments = fragments or name == b"moof"
        if name in (b"mdat", b"moof") and start + length > size:
            return start + length - size
        start += length
    if fragments and (start < size or name == b"moof"):  # within the header of a box, or before that of the pictures
        return max(0, start + 8 - size)
    return 0
