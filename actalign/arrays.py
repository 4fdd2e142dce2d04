"""What callers pass, checked and read as arrays."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.errors import ActAlignError


def as_array(values: ArrayLike, *, name: str) -> NDArray[Any]:
    """The values as an array, not copied if they were one.

    Raises ActAlignError, naming the values by ``name``, where rows differ in length, values are masked, or NumPy cannot
    read them: a tensor on a device, of bfloat16, or with a gradient.

    >>> as_array([[1, 2], [3]], name="affinity")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: affinity is not a matrix: ...; its rows must have equal lengths
    """
    if np.ma.is_masked(values):
        raise ActAlignError(f"{name} has masked cells, and nothing here knows any; fill them in, or cut them out")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ActAlignError(f"{name} is not a matrix: {error}; its rows must have equal lengths") from error
    except (TypeError, RuntimeError) as error:
        raise ActAlignError(f"{name} cannot be read as an array: {error}; pass numbers NumPy knows") from error


def as_count(value: object, *, name: str, least: int) -> int:
    """A whole number from ``least`` on. Raises ActAlignError, naming the value by ``name``, for anything else.

    >>> as_count(-1, name="seed", least=0)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: seed is -1; give a whole number of 0 or more
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ActAlignError(f"{name} is {value!r}; give a whole number of {least} or more")
    return int(value)
