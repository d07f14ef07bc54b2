import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.training.engines.masks import (
    GOLDEN,
    example_keys,
    keep_mask,
    keep_scale,
    random_words,
    threshold,
    true_rate,
)

SHAPE = (100, 28, 28, 8)
NUM_ELEMENTS = 100 * 28 * 28 * 8


def mask(rate: float = 0.5, *, seed: int = 0, layer: str = "dropout", step: int = 0, pooled: bool = True):
    return keep_mask(seed, layer, rate, step, SHAPE, before_pooling=pooled)


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.1, 0.2, 1 / 3, 0.5, 0.7, 0.9, 0.99999, 1 - 1e-9])
def test_the_true_rate_is_within_1_of_65536_and_its_scale_keeps_the_mean(rate: float) -> None:
    assert abs(true_rate(rate) - rate) <= 1 / 65536
    assert keep_scale(rate) * (1 - true_rate(rate)) == pytest.approx(1)


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.003, 0.2, 0.5, 0.9])
def test_the_dropped_fraction_is_the_true_rate(rate: float, pooled: bool) -> None:
    dropped = 1 - mask(rate, pooled=pooled).mean(dtype=np.float64)
    standard_error = np.sqrt(true_rate(rate) * (1 - true_rate(rate)) / NUM_ELEMENTS)
    assert abs(dropped - true_rate(rate)) <= 4 * standard_error


def test_the_mean_is_kept() -> None:
    scaled = mask(0.2) * keep_scale(0.2)
    assert scaled.mean() == pytest.approx(1, abs=4 * np.sqrt(0.2 / 0.8 / NUM_ELEMENTS))


@pytest.mark.parametrize("element", [0, 3])
def test_the_byte_that_elements_share_is_uniform_whatever_their_own(element: int) -> None:
    # Every 32-bit word with its own byte at a threshold's: 2**24 of them decide the last 8 bits of the rate.
    own_byte = np.uint32(threshold(0.2) >> 8)
    others = np.arange(2**24, dtype=np.uint32)
    above = (others >> np.uint32(8 * element)) << np.uint32(8 * element)
    words = (above << np.uint32(8)) | (own_byte << np.uint32(8 * element)) | (others - above)
    counts = np.bincount((words * GOLDEN) >> np.uint32(24), minlength=256)
    # Of the rate, this is a 256th part of a 256th; all 256 of them together must stay below 1/65536.
    assert np.abs(np.cumsum(counts / 2**24 - 1 / 256)).max() / 256 < 1 / 65536 / 4


def test_the_same_seed_layer_and_step_give_the_same_mask_for_a_part_of_the_batch_too() -> None:
    part = keep_mask(0, "dropout", 0.5, 0, (30, *SHAPE[1:]), before_pooling=True)
    assert np.array_equal(mask(), mask())
    assert np.array_equal(mask()[:30], part)


@pytest.mark.parametrize("change", [{"seed": 1}, {"layer": "dropout_1"}, {"step": 1}, {"step": 2**20}])
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_another_seed_layer_or_step_gives_an_uncorrelated_mask(change: dict, rate: float) -> None:
    assert abs(np.corrcoef(mask(rate).ravel(), mask(rate, **change).ravel())[0, 1]) < 4.5 / np.sqrt(
        NUM_ELEMENTS
    )


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("distance", [1, 2])
def test_neighbours_in_a_mask_are_uncorrelated(axis: int, distance: int) -> None:
    # Among them the elements of one pooling window, which share a word.
    one = np.moveaxis(mask(0.2), axis, 0)
    correlation = np.corrcoef(one[:-distance].ravel(), one[distance:].ravel())[0, 1]
    assert abs(correlation) < 4.5 / np.sqrt(one[distance:].size)


def test_examples_keys_differ_and_words_repeat_no_more_than_chance_allows() -> None:
    keys = example_keys(7, tf.constant(3, tf.int64), 0, 200)
    words = random_words(keys, (14, 14, 8)).numpy()
    num_words = words.size
    assert len(np.unique(keys.numpy(), axis=0)) == 200
    expected_repeats = num_words**2 / 2 / 2**32
    assert num_words - len(np.unique(words)) < expected_repeats + 5 * np.sqrt(expected_repeats)
