"""What the two device implementations of the alignment, Triton and plain PyTorch, are given."""

from typing import NamedTuple

from torch import Tensor


class Calibration(NamedTuple):
    """What turns a dot product into an affinity (paper, Eq. 8-9): sigmoid(scale * cosine + bias)."""

    inverse_frames_bt: Tensor  # float64, 1 / length of each frame embedding
    inverse_texts_bn: Tensor  # float64, 1 / length of each text embedding
    scale_bias: Tensor  # (2,) float64


class Values(NamedTuple):
    """B clips' n distinct texts against T frames, padded to one shape.

    ``values_bnt`` are dot products of embeddings, or affinities where ``calibration`` is None.
    """

    values_bnt: Tensor
    calibration: Calibration | None = None


class Candidates(NamedTuple):
    """N scripts: whose clip each belongs to, and which of that clip's texts it is, in order, padded with 0."""

    rows_nk: Tensor  # int32, rows of values_bnt[clip]
    clips_n: Tensor  # int32
    steps_n: Tensor  # int32, K of each
    frames_n: Tensor  # int32, T of each


class Totals(NamedTuple):
    """The sum over each best path, (N,) floating, and its number of pairs, (N,) int32."""

    sums_n: Tensor
    lengths_n: Tensor
