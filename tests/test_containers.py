from pathlib import Path

import pytest

from actalign.containers import require_whole
from actalign.errors import ActAlignError


def box(name: bytes, payload: bytes, *, claim: int | None = None) -> bytes:
    return (8 + len(payload) if claim is None else claim).to_bytes(4, "big") + name + payload


HEAD = box(b"ftyp", b"isom" + bytes(8))
LONG = b"\0\0\0\1mdat"  # the size follows in 8 bytes
EBML = b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67"


@pytest.mark.parametrize(
    "content",
    [
        HEAD + box(b"mdat", bytes(100)) + box(b"moov", bytes(20)),
        HEAD + box(b"mdat", bytes(100), claim=0),  # to the end of the file
        HEAD + LONG + (116).to_bytes(8, "big") + bytes(100),
        HEAD + box(b"free", bytes(10), claim=5000),  # not media
        EBML + b"\x88" + bytes(8),
        EBML + b"\xff" + bytes(3),  # unknown size: a live recording
        EBML + b"\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(3),
        b"RIFF" + (12).to_bytes(4, "little") + b"AVI " + bytes(8),
        (b"G" + bytes(187)) * 3,  # MPEG-TS
        b"G" + bytes(200),  # anything else
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
    ],
)
def test_a_file_shorter_than_it_claims_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ActAlignError, match="its last 5 bytes are missing"):
        require_whole(tmp_path / "a")
