import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from actalign.containers import require_order, require_whole
from actalign.errors import ActAlignError


def box(name: bytes, payload: bytes, *, claim: int | None = None) -> bytes:
    return (8 + len(payload) if claim is None else claim).to_bytes(4, "big") + name + payload


HEAD = box(b"ftyp", b"isom" + bytes(8))
LONG = b"\0\0\0\1mdat"  # the size follows in 8 bytes
EBML = b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67"
VOID, BLOCK, CLUSTER = b"\xec\x82\0\0", b"\xa3\x82\0\0", b"\x1f\x43\xb6\x75"


@pytest.mark.parametrize(
    "content",
    [
        HEAD + box(b"mdat", bytes(100)) + box(b"moov", bytes(20)),
        HEAD + box(b"mdat", bytes(100), claim=0),  # to the end of the file
        HEAD + LONG + (116).to_bytes(8, "big") + bytes(100),
        HEAD + box(b"free", bytes(10), claim=5000),  # not media
        EBML + b"\x80",
        EBML + b"\x95" + VOID + CLUSTER + b"\x88" + BLOCK + BLOCK + VOID,
        EBML + b"\x84" + VOID + bytes(4),  # what follows the segment is no part of it
        EBML + b"\x8c" + VOID + CLUSTER + b"\xff" + bytes(3),  # a cluster of unknown size
        EBML + b"\xff" + bytes(3),  # unknown size: a live recording
        EBML + b"\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(3),
        b"RIFF" + (12).to_bytes(4, "little") + b"AVI " + bytes(8),
        (b"G" + bytes(187)) * 3,  # MPEG-TS
        (bytes(4) + b"G" + bytes(187)) * 3,  # M2TS
        HEAD + (box(b"moof", bytes(30)) + box(b"mdat", bytes(40))) * 2,  # in fragments
        HEAD + box(b"mdat", bytes(40)) + bytes(3),
        b"G" + bytes(200),  # anything else
        b"GIF89a" + bytes(182) + b"G" + bytes(300),
        b"",
    ],
)
def test_a_whole_file_or_one_that_does_not_say_passes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    require_whole(tmp_path / "a")


@pytest.mark.parametrize(
    "content",
    [
        HEAD + box(b"moov", bytes(20)) + box(b"mdat", bytes(95), claim=108),
        HEAD + LONG + (116).to_bytes(8, "big") + bytes(95),
        EBML + b"\x88" + bytes(3),
        EBML + b"\x40\x08" + bytes(3),
        b"RIFF" + (17).to_bytes(4, "little") + b"AVI " + bytes(8),
        ((b"G" + bytes(187)) * 3)[:-5],
        ((bytes(4) + b"G" + bytes(187)) * 3)[:-5],
        HEAD + box(b"moof", bytes(30)) + box(b"mdat", bytes(40)) + box(b"moof", bytes(25), claim=38),
        HEAD + box(b"moof", bytes(30)) + box(b"mdat", bytes(40)) + box(b"moof", b"")[:3],
        HEAD + box(b"moof", bytes(30)) + box(b"mdat", b"")[:3],
        box(b"wide", b"") + box(b"mdat", bytes(95), claim=108),  # MOV of before 2001
        box(b"mdat", bytes(95), claim=108),
        HEAD + box(b"mdat", b"", claim=13),
    ],
)
def test_a_file_shorter_than_it_claims_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ActAlignError, match="its last 5 bytes are missing"):
        require_whole(tmp_path / "a")


def test_a_single_byte_is_missed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes((HEAD + box(b"mdat", bytes(100)))[:-1])
    with pytest.raises(ActAlignError, match="its last 1 bytes are missing"):
        require_whole(tmp_path / "a")


def test_a_fragment_that_ends_before_its_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(HEAD + box(b"moof", bytes(30)) + box(b"mdat", bytes(40)) + box(b"moof", bytes(30)))
    with pytest.raises(ActAlignError, match="its last 8 bytes are missing"):
        require_whole(tmp_path / "a")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (VOID + bytes(8) + BLOCK, 4),
        (CLUSTER + b"\x8a" + BLOCK + bytes(6), 9),
        (CLUSTER + b"\x84" + BLOCK + b"\xa3\x90\0\0", 9),  # a block longer than the file
        (VOID + b"\xa3\0\0\0", 4),  # a size that is none
    ],
)
def test_a_matroska_file_that_loses_its_order_is_an_error(content: bytes, place: int, tmp_path: Path) -> None:
    begin = EBML + bytes([0x80 | len(content)])
    (tmp_path / "a").write_bytes(begin + content)
    with pytest.raises(ActAlignError, match=f"nothing of Matroska begins at byte {len(begin) + place}"):
        require_whole(tmp_path / "a")
    with pytest.raises(ActAlignError, match="nothing of Matroska"):
        require_order(tmp_path / "a")


def test_a_file_that_was_mended_is_looked_through_again(tmp_path: Path) -> None:
    for changed, content in enumerate([VOID + bytes(4), VOID + BLOCK, VOID + bytes(4)]):
        (tmp_path / "a").write_bytes(EBML + b"\x88" + content)
        os.utime(tmp_path / "a", ns=(changed, changed))
        with nullcontext() if content == VOID + BLOCK else pytest.raises(ActAlignError, match="nothing of Matroska"):
            require_order(tmp_path / "a")


@pytest.mark.parametrize("end", range(12))
def test_order_does_not_ask_for_the_end_of_a_file(end: int, tmp_path: Path) -> None:
    whole = EBML + b"\x8c" + VOID + BLOCK + BLOCK
    (tmp_path / "a").write_bytes(whole[: len(whole) - end])
    require_order(tmp_path / "a")
