"""How closely two ways to compute the same embeddings must agree, and why, in one place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Distance between two rows as a part of their length. A matrix product adds up in another order when the batch has
# another size, so embeddings are equal up to rounding: some 2^-24 per sum in float32, 2^-11 in float16 and 2^-8 in
# bfloat16, grown by the depth of the network. A GPU may take TF32 (2^-11) in its convolutions.
RELATIVE = {"float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1, "gpu": 5e-3}


def assert_same_embeddings(actual: NDArray[Any], expected: NDArray[Any], *, precision: str = "float32") -> None:
    assert actual.shape == expected.shape
    lengths = np.linalg.norm(expected, axis=-1)
    assert (lengths > 0).all()
    apart = np.linalg.norm(actual - expected, axis=-1) / lengths
    assert apart.max() < RELATIVE[precision], f"rows differ by up to {apart.max():.2e} of their length"
