import numpy as np
import pytest

from dropout_lab.data.digits import load_data
from dropout_lab.data.out_of_distribution import OUT_OF_DISTRIBUTION, out_of_distribution
from dropout_lab.errors import DataError, UsageError
from dropout_lab.evaluation.robustness import SET_NAMES

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 200, (50, 28, 28, 1), dtype=np.uint8)
COLOUR = RANDOM.normal(size=(40, 12, 16, 3)).astype(np.float32)


def test_names_are_those_of_the_metrics():
    assert tuple(OUT_OF_DISTRIBUTION) == SET_NAMES


@pytest.mark.parametrize("images", [GRAY, COLOUR], ids=["uint8", "float32"])
@pytest.mark.parametrize("name", OUT_OF_DISTRIBUTION)
def test_every_set_has_the_shape_dtype_and_range_of_the_test_images(name, images):
    found = out_of_distribution(images, name)
    assert (found.shape[1:], found.dtype) == (images.shape[1:], images.dtype)
    assert len(found) == (1797 if name == "digits" else len(images))
    low, high = (0, 255) if images.dtype == np.uint8 else (images.min(), images.max())
    assert low <= found.min() < found.max() <= high
    assert np.array_equal(found, out_of_distribution(images, name))


def test_digits_keep_their_values_where_the_size_is_theirs():
    eight = np.zeros((3, 8, 8, 2), dtype=np.float32)
    eight[0, 0, 0] = 1
    found = out_of_distribution(eight, "digits")
    images, _ = load_data()
    assert np.array_equal(found, images.repeat(2, axis=3))


def test_resized_digits_keep_their_mean_brightness():
    found = out_of_distribution(GRAY, "digits")
    images, _ = load_data()
    assert found.mean((1, 2, 3)) / 255 == pytest.approx(images.mean((1, 2, 3)), abs=0.01)


def test_uniform_noise_is_uniform():
    shares, _ = np.histogram(out_of_distribution(GRAY, "uniform"), bins=8, range=(0, 256))
    assert shares / GRAY.size == pytest.approx(np.full(8, 1 / 8), abs=0.01)


def test_inverted_images_are_negatives():
    assert np.array_equal(out_of_distribution(GRAY, "inverted_test"), 255 - GRAY)
    inverted = out_of_distribution(COLOUR, "inverted_test")
    assert inverted + COLOUR == pytest.approx(np.full(COLOUR.shape, COLOUR.min() + COLOUR.max()), abs=1e-5)


def test_shuffled_images_have_the_pixels_of_the_test_images_in_another_order_each():
    shuffled = out_of_distribution(COLOUR, "shuffled_test").reshape(40, -1, 3)
    pixels = COLOUR.reshape(40, -1, 3)
    for before, after in zip(pixels, shuffled, strict=True):
        assert sorted(map(tuple, before)) == sorted(map(tuple, after))
    orders = {tuple(np.argsort(np.argsort(image[:, 0]))) for image in shuffled}
    assert len(orders) == 40
    same = np.zeros((2, 28, 28, 1), dtype=np.uint8)
    same[:, :14] = 255
    one, other = out_of_distribution(same, "shuffled_test")
    assert not np.array_equal(one, other)


def test_unknown_names_and_inputs_without_pixels_are_refused():
    with pytest.raises(UsageError, match=r"'digit' \(did you mean 'digits'\?\) \(allowed: digits, uniform"):
        out_of_distribution(GRAY, "digit")
    with pytest.raises(DataError, match="no images"):
        out_of_distribution(np.zeros((5, 20)), "uniform")
