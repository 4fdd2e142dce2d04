from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from actalign.errors import ActAlignError
from actalign.masks import mask_frame
from actalign.plots.text_masks import text_masks

BOX = ((4, 2), (12, 2), (12, 7), (4, 7))


def test_the_picture_shows_the_masked_frame_and_where_it_is_masked(rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
    before = frame.copy()
    ax = Figure().subplots()
    assert text_masks(frame, [BOX, ((50, 50), (60, 60))], ax) is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), mask_frame(frame, [BOX]))
    (outline,) = ax.patches
    assert isinstance(outline, Rectangle)
    assert (outline.get_xy(), outline.get_width(), outline.get_height()) == ((3.5, 1.5), 8, 5)
    np.testing.assert_array_equal(frame, before)


def test_the_picture_can_show_what_lies_below(rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
    ax = text_masks(frame, [BOX], Figure().subplots(), blurred=False)
    np.testing.assert_array_equal(ax.images[0].get_array(), frame)
    assert len(ax.patches) == 1


@pytest.mark.parametrize("frame", [np.zeros((4, 4, 3)), np.zeros((4, 4), dtype=np.uint8)])
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    with pytest.raises(ActAlignError, match=r"a frame is uint8 \(H, W, 3\)"):
        text_masks(frame, [BOX], Figure().subplots())
