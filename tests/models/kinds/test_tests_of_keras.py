"""The tests that Keras publishes for its dropout layers hold for the kinds of the same name."""

import unittest

import pytest
from keras.src import layers

from dropout_lab.models.kinds import AlphaDropout, GaussianDropout, SpatialDropout, StandardDropout

CASES = {
    "dropout": {"Dropout": StandardDropout},
    "spatial_dropout": {f"SpatialDropout{rank}D": SpatialDropout for rank in (1, 2, 3)},
    "gaussian_dropout": {"GaussianDropout": GaussianDropout},
    "alpha_dropout": {"AlphaDropout": AlphaDropout},
}


@pytest.mark.slow
@pytest.mark.parametrize("module", CASES)
def test_a_kind_passes_the_tests_of_its_layer_in_keras(module: str, monkeypatch) -> None:
    for name, kind in CASES[module].items():
        monkeypatch.setattr(layers, name, kind)
    tests = pytest.importorskip(f"keras.src.layers.regularization.{module}_test")
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    result = suite.run(unittest.TestResult())
    assert result.testsRun > 0
    assert [trace for _, trace in (*result.errors, *result.failures)] == []
