import pytest

from dropout_lab.spec.expectations import NAME_IN_WORDS, choices_at, expected_at, valid_keys
from dropout_lab.spec.kinds import KINDS, SiteDropout

RATE = "a number at least 0 and below 1 or as_built"
FIELDS = f"a mapping with {', '.join(SiteDropout.model_fields)}"


@pytest.mark.parametrize(
    "location, words",
    [
        (("training", "epochs"), "an integer from 1 to 10,000"),
        (("training", "learning_rate"), "a number above 0 and at most 100"),
        (("model", "dropout"), f"{RATE} or {FIELDS}"),
        (
            ("model", "dropout", "conv1"),
            f"a number at least 0 and below 1 or as_built or {FIELDS} or a mapping",
        ),
        (("model", "filters"), "a list of 2, each an integer from 1 to 1,024"),
        (("model", "filters", 1), "an integer from 1 to 1,024"),
        (("data", "num_train"), "an integer at least 10"),
        (("data", "split_seed"), f"an integer from 0 to {2**31 - 1:,}"),
        (("seeds", 3), f"an integer from 0 to {2**31 - 1:,}"),
        (
            ("seeds",),
            "an integer from 1 to 1,000 or a list of 1 to 1,000 items, "
            f"each an integer from 0 to {2**31 - 1:,} or a mapping with first, most, step",
        ),
        (("training", "optimizer"), "adam, sgd or rmsprop"),
        (("device",), "auto, cpu, gpu, gpu:N or gpus"),
        (("conditions", "model", "device"), "auto, cpu, gpu, gpu:N or gpus"),
        (("name",), NAME_IN_WORDS),
        (("description",), "text of 0 to 5,000 characters"),
        (("claims", 0, "margin"), "a number at least 0"),
        (("claims", 0, "metric"), "a metric name, such as test_loss"),
        (("conditions",), "a mapping of at most 100 names"),
        (("model", "dropout_position"), "before_pooling or after_pooling"),
    ],
)
def test_says_what_may_stand_at_a_place(location, words):
    assert expected_at(location) == words


def test_knows_the_keys_and_choices_of_a_place():
    assert valid_keys(("conditions", "training")) == ["model", "training", "device", "data"]
    assert valid_keys(("claims", 4)) == ["metric", "condition", "reference", "expected", "margin"]
    assert valid_keys(("training", "epochs")) == []
    assert choices_at(("training", "engine")) == ["auto", "fast", "stock"]
    assert choices_at(("training",)) == []
    assert choices_at(("model", "dropout", "kind")) == list(KINDS)
    assert choices_at(("model", "dropout", "conv1", "kind")) == list(KINDS)
