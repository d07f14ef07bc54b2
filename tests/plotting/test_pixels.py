import io

import numpy as np
import pytest
from PIL import Image

from dropout_lab.plotting.pixels import MAX_SIDE, shown_pixels, thumbnail


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (4, "L")])
def test_a_thumbnail_has_the_pixels_of_the_image(channels, mode):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 6, channels)).astype(np.uint8)
    images[0, 0, 0], images[0, 0, 1] = 0, 255
    (pixels,) = shown_pixels(images, [2])
    shown = Image.open(io.BytesIO(thumbnail(pixels)))
    assert (shown.format, shown.mode, shown.size) == ("PNG", mode, (6, 8))
    expected = images[2] if mode == "RGB" else images[2, ..., 0]
    assert np.array_equal(np.asarray(shown), expected)


def test_a_large_image_is_made_small():
    pixels = np.random.default_rng(0).random((300, 150)).astype(np.float32)
    assert Image.open(io.BytesIO(thumbnail(pixels))).size == (MAX_SIDE // 2, MAX_SIDE)
    assert thumbnail(pixels) == thumbnail(pixels.copy())
