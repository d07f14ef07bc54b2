import pytest
from pydantic import ValidationError

from dropout_lab.spec import DataSpec, ModelSpec, Settings, TrainingSpec, flatten
from dropout_lab.spec.base import LATER
from dropout_lab.spec.training import EarlyStopping, LearningRateSchedule


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


def own_fields(model):
    """Return the fields that are logged at their default."""
    return [name for name, field in model.model_fields.items() if LATER not in field.metadata]


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
        len(own_fields(model)) for model in (TrainingSpec, DataSpec, Settings)
    ) - len(["model", "training", "data", *NOT_OF_FASHION_MNIST])


def test_flatten_is_equal_for_equal_settings():
    assert flatten(Settings(model=ModelSpec(dropout=0))) == flatten(Settings())


OF_VERSION_0_1 = (
    "model.dropout.conv1", "model.dropout.conv2", "model.dropout.dense", "model.dropout_position",
    "model.filters", "model.hidden_units", "training.epochs", "training.batch_size", "training.optimizer",
    "training.learning_rate", "training.engine", "training.precision", "device", "data.folder",
    "data.validation", "data.split_seed", "data.num_train", "data.num_test",
)  # fmt: skip


def test_what_was_added_is_not_logged_where_it_is_not_used():
    added = {"model.network", "data.dataset", "data.scale", "data.resample"}
    assert set(flatten(Settings())) == {*OF_VERSION_0_1, *added}
    unused = TrainingSpec(weight_decay=0, momentum=0.0, early_stopping=None, optimizer="sgd")
    assert flatten(Settings(training=unused)).keys() == flatten(Settings()).keys()


def test_what_was_added_is_logged_where_it_is_used():
    training = TrainingSpec(
        weight_decay=0.01,
        max_norm=2,
        early_stopping=EarlyStopping(patience=2),
        learning_rate_schedule=LearningRateSchedule(shape="step", milestones=(2, 3.5)),
    )
    used = Settings(training=training, model=ModelSpec(batch_normalization=True))
    assert {key: value for key, value in flatten(used).items() if key not in flatten(Settings())} == {
        "model.batch_normalization": "True",
        "training.weight_decay": "0.01",
        "training.max_norm": "2.0",
        "training.early_stopping.patience": "2",
        "training.early_stopping.metric": "val_loss",
        "training.learning_rate_schedule.shape": "step",
        "training.learning_rate_schedule.warmup_epochs": "0.0",
        "training.learning_rate_schedule.milestones": "2.0,3.5",
        "training.learning_rate_schedule.factor": "0.1",
    }
    assert flatten(Settings.model_validate(used.content(mode="json"))) == flatten(used)
