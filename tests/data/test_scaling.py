"""Scaling takes its statistics from the training part, and suits the inputs if it is left to choose."""

import numpy as np
import pytest

from dropout_lab.data.scaling import UNIT_PIXELS, auto_kind, make_scaling


def scaled(values, scaling):
    return (values.astype(np.float64) - scaling.shift) * scaling.factor


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        (np.array([[[[0]], [[255]]]], np.uint8), "unit"),
        (np.array([[0, 1]], np.uint8), "none"),
        (np.array([[0, 200]], np.uint8), "unit"),
        (np.array([[[0, 200]]], np.int32), "unit"),
        (np.array([[[0, 300]]], np.int32), "standardize"),
        (np.array([[0, 20000]], np.int32), "none"),
        (np.array([[-1.0, 1.0]], np.float32), "none"),
        (np.array([[0.0, 16.0]], np.float32), "standardize"),
    ],
)
def test_auto_suits_the_inputs(inputs, kind):
    assert auto_kind(inputs) == kind


def test_integer_sequences_stay_integers_and_nothing_else_does():
    assert not make_scaling("none", np.array([[3, 20000]], np.int32)).to_float
    for inputs in (np.zeros((1, 2), np.uint8), np.zeros((1, 2, 2), np.int32), np.zeros((1, 2), np.float32)):
        scaling = make_scaling("none", inputs)
        assert (scaling.factor, scaling.shift, scaling.to_float) == (1.0, 0.0, True)


@pytest.mark.parametrize("shape", [(500, 3), (500, 4, 4, 3), (500, 7, 3)])
def test_each_channel_or_feature_is_standardized(shape):
    values = np.random.default_rng(0).normal([5, -100, 0.01], [2, 0.5, 1e-4], shape).astype(np.float32)
    found = scaled(values, make_scaling("standardize", values))
    axes = tuple(range(len(shape) - 1))
    assert found.mean(axes) == pytest.approx(0, abs=1e-3)
    assert found.std(axes) == pytest.approx(1, abs=1e-3)


def test_unit_maps_pixels_by_255_and_other_values_by_their_range():
    assert make_scaling("unit", np.array([[[[3]]], [[[100]]]], np.uint8)) is UNIT_PIXELS
    values = np.array([[10, -2.0], [20, 2.0], [15, 0.0]], np.float32)
    assert scaled(values, make_scaling("unit", values)) == pytest.approx(
        np.array([[0, 0], [1, 1], [0.5, 0.5]])
    )


@pytest.mark.parametrize("kind", ["unit", "standardize"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, -3.7])
def test_a_constant_feature_becomes_0_whatever_rounding_does(kind, constant):
    values = np.full((1001, 2), constant, np.float32)
    values[:, 1] = np.arange(1001)
    found = scaled(values, make_scaling(kind, values))
    assert np.abs(found[:, 0]).max() < 1e-6 * max(1, abs(constant))
    assert np.isfinite(found).all()
