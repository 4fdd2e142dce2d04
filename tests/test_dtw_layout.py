"""Where matrices lie, read from memory: what NumPy says, and nothing followed that is not known."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actalign.dtw import layout as module
from actalign.dtw import scores
from actalign.dtw.kernels import ARRAY_FIELDS
from actalign.dtw.layout import layout


class Wide(np.ndarray[Any, Any]):
    extra = 1


@pytest.fixture(params=["read", "asked"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From memory, and as where memory is laid out otherwise."""
    if request.param == "asked":
        monkeypatch.setattr(module, "known_ids", lambda: None)
        monkeypatch.setattr(module, "read_places", None)


@pytest.mark.parametrize("count", [1, 2, 17, 400])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_are_those_numpy_gives(count: int, dtype: type, rng: np.random.Generator) -> None:
    whole: NDArray[Any] = rng.random((60, 9)).astype(dtype)
    arrays = [whole[rng.integers(0, 30) : rng.integers(31, 60)] for _ in range(count)]
    arrays[0] = arrays[0].copy()
    arrays[-1].flags.writeable = False
    found = layout(arrays)
    assert found is not None
    assert found.places.T.tolist() == [[each.ctypes.data, *each.shape, each.size] for each in arrays]
    assert found.empty == -1


def test_one_without_cells_is_named() -> None:
    for shape in ((0, 3), (3, 0)):
        found = layout([np.ones((2, 3)), np.ones(shape), np.ones((1, 1))])
        assert found is not None and (found.empty, found.places[3].tolist()) == (1, [6, 0, 1])
    found = layout([])
    assert found is not None and (found.empty, found.places.shape) == (-1, (4, 0))


STRANGE: dict[str, Callable[[NDArray[Any]], Any]] = {
    "list": np.ndarray.tolist,
    "number": lambda matrix: 3.0,
    "scalar": lambda matrix: np.array(3.0),
    "vector": lambda matrix: matrix[0],
    "volume": lambda matrix: matrix[None],
    "precision": lambda matrix: matrix.astype(np.float32),
    "integers": lambda matrix: matrix.astype(np.int64),
    "byte order": lambda matrix: matrix.astype(matrix.dtype.newbyteorder()),
    "columns": np.asfortranarray,
    "gaps": lambda matrix: matrix[:, ::2],
    "subclass": lambda matrix: matrix.view(Wide),
    "misaligned": lambda matrix: np.frombuffer(b"x" + matrix.tobytes(), np.uint8)[1:].view("f8").reshape(matrix.shape),
    "none": lambda matrix: None,
}


@pytest.mark.parametrize("place", [0, 1, 30])
@pytest.mark.parametrize("kind", STRANGE)
def test_anything_else_is_left_to_be_copied(kind: str, place: int, rng: np.random.Generator) -> None:
    arrays: list[Any] = [rng.random((4, 6)) for _ in range(40)]
    assert layout(arrays) is not None
    arrays[place] = STRANGE[kind](arrays[place])
    assert layout(arrays) is None


def test_all_strange_alike_are_left_to_be_copied_too(rng: np.random.Generator) -> None:
    for kind, made in STRANGE.items():
        arrays = [made(rng.random((4, 6))) for _ in range(3)]
        assert (layout(arrays) is None) == (kind != "precision"), kind


@pytest.mark.parametrize("wrong", ["size", "type", 0, 1, 5, 6])  # and the words of an array but for its pointers
def test_another_layout_is_noticed_before_anything_is_followed(
    wrong: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = [np.ones((2, 3))]
    assert module._is_known(probe)
    read, followed = module._words_at, []

    def otherwise(address: int, words: Any) -> None:
        followed.append(len(words))
        read(address, words)
        if wrong == "size" and address == id(probe) + module.HEADER:
            words[0] += 1
        if wrong == "type" and len(words) == 1:
            words[0] += 1 << 20
        if isinstance(wrong, int) and len(words) == ARRAY_FIELDS:
            words[wrong] ^= 1 << 20

    monkeypatch.setattr(module, "_words_at", otherwise)
    assert not module._is_known(probe)
    assert len(followed) == 3  # the structures alone, no pointer in them


def test_a_list_with_other_fields_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIST_FIELDS", 4)
    monkeypatch.setattr(module, "_words_at", None)
    assert not module._is_known([np.ones((2, 3))])


def test_nothing_is_read_where_the_layout_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # of the fixture's way
    known_ids = module.known_ids.__wrapped__
    assert known_ids() is not None
    monkeypatch.setattr(module, "_is_known", lambda probe: False)
    assert known_ids() is None


def test_scores_are_the_same_both_ways(rng: np.random.Generator) -> None:
    arrays = [rng.random((3, length)) for length in range(1, 50)]
    assert scores(arrays).tolist() == [scores([array])[0] for array in arrays]
    assert scores([np.float32(1) * array for array in arrays]).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrices_that_another_process_sent_are_read_in_place(dtype: Any, rng: np.random.Generator) -> None:
    """Their dtype equals NumPy's own, and is another object."""
    own = [rng.random((3, length)).astype(dtype) for length in range(1, 9)]
    sent = [matrix.astype(copy.deepcopy(matrix.dtype)) for matrix in own]
    sent = [matrix.view(sent[0].dtype) for matrix in sent]
    assert sent[0].dtype is not own[0].dtype
    assert module.layout(sent) is not None
    for batch in (sent, [own[0], *sent], [*sent, own[0]], [*sent, own[0].astype(np.float16)]):
        assert scores(batch).tolist() == [scores([np.array(matrix.tolist())])[0] for matrix in batch]
