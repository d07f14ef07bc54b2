"""DropBlock drops squares, about as much as its rate says, and rescales the rest."""

import numpy as np
import pytest

from dropout_lab.models.kinds import DropBlock


def dropped(rate: float, block_size: int, size: tuple[int, int], num_maps: int = 1000) -> np.ndarray:
    """Return (num_maps, *size): 1 where dropped."""
    inputs = np.ones((num_maps // 10, *size, 10), np.float32)
    outputs = DropBlock(rate, 1, block_size=block_size)(inputs, training=True).numpy()
    return np.moveaxis(outputs == 0, -1, 1).reshape(num_maps, *size)


def expected_fraction(rate: float, block_size: int, size: tuple[int, int]) -> float:
    """Return 1 - (1 - gamma)^n, averaged over the elements, of which each is in n places of a block."""
    height, width = size
    rows, columns = height - block_size + 1, width - block_size + 1
    places = [np.convolve(np.ones(length), np.ones(block_size)) for length in (rows, columns)]
    gamma = rate / block_size**2 * height * width / (rows * columns)
    return float(np.mean(1 - (1 - gamma) ** np.outer(*places)))


@pytest.mark.parametrize(
    ("size", "block_size", "rate"),
    [((14, 14), 3, 0.1), ((14, 14), 7, 0.1), ((9, 12), 5, 0.15), ((8, 8), 1, 0.3), ((28, 28), 5, 0.1)],
)
def test_the_fraction_is_within_a_tenth_of_the_rate(size, block_size: int, rate: float) -> None:
    assert dropped(rate, block_size, size).mean() == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("block_size", [1, 2, 3, 5, 7])
def test_the_fraction_is_that_of_the_formula(block_size: int, rate: float) -> None:
    fractions = dropped(rate, block_size, (8, 7)).mean(axis=(1, 2))
    expected = expected_fraction(rate, block_size, (8, 7))
    assert abs(fractions.mean() - expected) < 5 * fractions.std() / np.sqrt(1000)


@pytest.mark.parametrize("block_size", [2, 3, 4, 5, 6])
def test_each_dropped_element_lies_in_a_dropped_square(block_size: int) -> None:
    maps = dropped(0.2, block_size, (10, 11), num_maps=100)
    windows = np.lib.stride_tricks.sliding_window_view(maps, (block_size, block_size), axis=(1, 2))
    squares = windows.all(axis=(-2, -1))
    covered = np.zeros_like(maps)
    for row, column in np.ndindex(block_size, block_size):
        covered[:, row : row + squares.shape[1], column : column + squares.shape[2]] |= squares
    np.testing.assert_array_equal(covered, maps)
    assert maps.any()


def test_each_map_has_its_own_blocks() -> None:
    maps = dropped(0.3, 2, (6, 6), num_maps=100)
    assert len({single.tobytes() for single in maps}) > 80  # some have no block


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_equal_elements_keep_their_mean_exactly(rate: float) -> None:
    outputs = DropBlock(rate, 1, block_size=3)(np.ones((20, 8, 8, 5), np.float32), training=True).numpy()
    assert outputs.mean(dtype=np.float64) == pytest.approx(1, rel=1e-6)
    assert len(np.unique(outputs)) == 2


def test_a_batch_of_which_nothing_is_kept_gives_zeros() -> None:
    outputs = DropBlock(0.999, 1, block_size=4)(np.ones((1, 4, 4, 1), np.float32), training=True).numpy()
    np.testing.assert_array_equal(outputs, 0)


@pytest.mark.parametrize("block_size", [0, -1, 1.5, "3", True, None])
def test_other_block_sizes_are_refused(block_size) -> None:
    with pytest.raises(ValueError, match="argument `block_size`"):
        DropBlock(0.1, block_size=block_size)


def test_a_block_larger_than_the_map_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 4. Received: block_size=5, input_shape=\(2, 6, 4, 3\)"):
        DropBlock(0.1, block_size=5)(np.ones((2, 6, 4, 3)))
    DropBlock(0.1, block_size=4)(np.ones((2, 6, 4, 3)))


@pytest.mark.parametrize("shape", [(None, 8), (None, 8, 3), (None, None, 8, 3), (None, 4, 4, 4, 3)])
def test_inputs_that_are_no_maps_are_refused(shape) -> None:
    with pytest.raises(ValueError, match="with a known height and width"):
        DropBlock(0.1, block_size=2).build(shape)
