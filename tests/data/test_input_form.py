"""The form of a model's inputs survives JSON with every bit of its scaling."""

import json

import numpy as np
import pytest

from dropout_lab.data.input_form import InputForm
from dropout_lab.data.scaling import UNIT_PIXELS, Scaling, make_scaling


def form(scaling: Scaling, shape: tuple[int, ...] = (4, 3), dtype: str = "float32") -> InputForm:
    return InputForm(shape=shape, dtype=dtype, scaling=scaling, class_names=("a", "b"))


@pytest.mark.parametrize("kind", ["none", "unit", "standardize"])
def test_the_scaling_has_the_same_bits_after_json(kind):
    values = np.random.default_rng(0).normal(size=(50, 4, 3)).astype(np.float32)
    scaling = make_scaling(kind, values)
    read = InputForm.from_json(json.loads(json.dumps(form(scaling).to_json()))).scaling
    assert read.to_float == scaling.to_float
    for name in ("factor", "shift"):
        own, other = getattr(scaling, name), getattr(read, name)
        assert type(own) is type(other)
        assert np.asarray(own).tobytes() == np.asarray(other).tobytes()


def test_the_form_of_data_without_examples_is_that_form():
    images = form(UNIT_PIXELS, (28, 28, 1), "uint8")
    assert InputForm.of(images.without_examples()) == images
    assert InputForm.from_json(images.to_json()) == images


def test_another_scaling_says_what_stored_values_are():
    floats = form(Scaling(), (28, 28, 1))
    assert not floats.holds_images
    assert floats.scaled("unit").holds_images
    assert floats.scaled("unit").scaling == UNIT_PIXELS
    assert form(UNIT_PIXELS, (28, 28, 1), "uint8").scaled("none").scaling == Scaling()
    assert floats.scaled("auto") == floats


@pytest.mark.parametrize("damage", [{"dtype": "words"}, {"shape": None}, {"factor": "x"}])
def test_a_damaged_form_is_an_error(damage):
    with pytest.raises((TypeError, ValueError)):
        InputForm.from_json(form(Scaling()).to_json() | damage)
