import pytest
from pydantic import ValidationError

from dropout_lab.spec import DataSpec, ModelSpec, Settings, TrainingSpec, flatten


@pytest.mark.parametrize("rate", [0, 0.0, 0.5, 1 - 1e-9])
def test_rates_from_zero_to_below_one_are_accepted(rate):
    assert ModelSpec(dropout=rate).rates == {"conv1": rate, "conv2": rate, "dense": rate}
    assert ModelSpec(dropout={"dense": rate}).rates == {"conv1": 0, "conv2": 0, "dense": rate}


@pytest.mark.parametrize("rate", [1, 1.0, -1e-9, True, False, "0.5", None, float("nan"), float("inf")])
def test_all_else_is_refused_as_a_rate(rate):
    with pytest.raises(ValidationError):
        ModelSpec(dropout=rate)
    with pytest.raises(ValidationError):
        ModelSpec(dropout={"dense": rate})


NOT_OF_FASHION_MNIST = ("arguments", "image_size", "color_mode", "test_split", "test_seed")


def test_flatten_names_every_leaf():
    flat = flatten(Settings(model=ModelSpec(dropout=0.2)))
    assert flat["model.dropout.conv1"] == "0.2"
    assert flat["model.filters"] == "32,64"
    assert flat["training.epochs"] == "10"
    assert flat["data.validation"] == "test"
    assert flat["data.folder"] == ""
    assert flat["device"] == "auto"
    own = {"model.network", "model.dropout_position", "model.filters", "model.hidden_units"}
    rates = {f"model.dropout.{site}" for site in ("conv1", "conv2", "dense")}
    assert {key for key in flat if key.startswith("model.")} == own | rates
    assert len(flat) == len(own | rates) + sum(
        len(model.model_fields) for model in (TrainingSpec, DataSpec, Settings)
    ) - len(["model", "training", "data", *NOT_OF_FASHION_MNIST])


def test_flatten_is_equal_for_equal_settings():
    assert flatten(Settings(model=ModelSpec(dropout=0))) == flatten(Settings())
