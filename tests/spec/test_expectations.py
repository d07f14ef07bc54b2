import pytest

from dropout_lab.spec.expectations import NAME_IN_WORDS, choices_at, expected_at, valid_keys


@pytest.mark.parametrize(
    "location, words",
    [
        (("training", "epochs"), "an integer from 1 to 10000"),
        (("training", "learning_rate"), "a number above 0 and at most 100"),
        (("model", "dropout"), "a number at least 0 and below 1 or keys and values"),
        (("model", "dropout", "conv1"), "a number at least 0 and below 1"),
        (("model", "filters"), "a list of 2: an integer from 1 to 1024 each"),
        (("model", "filters", 1), "an integer from 1 to 1024"),
        (("data", "num_train"), "an integer from 10 to 60000"),
        (("data", "split_seed"), f"an integer from 0 to {2**31 - 1}"),
        (("seeds", 3), f"an integer from 0 to {2**31 - 1}"),
        (
            ("seeds",),
            "an integer from 1 to 1000 or a list of 1 to 1000 items, "
            f"each an integer from 0 to {2**31 - 1} or keys and values",
        ),
        (("training", "optimizer"), "adam, sgd or rmsprop"),
        (("device",), "auto, cpu, gpu or gpu:1"),
        (("conditions", "model", "device"), "auto, cpu, gpu or gpu:1"),
        (("name",), NAME_IN_WORDS),
        (("description",), "text of 0 to 5000 characters"),
        (("claims", 0, "margin"), "a number at least 0"),
        (("claims", 0, "metric"), "the name of a metric, such as test_loss"),
        (("training",), "keys and values"),
        ((), "keys and values"),
    ],
)
def test_says_what_may_stand_at_a_place(location, words):
    assert expected_at(location) == words


def test_knows_the_keys_and_choices_of_a_place():
    assert valid_keys(("model", "dropout")) == ["conv1", "conv2", "dense"]
    assert valid_keys(("conditions", "training")) == ["model", "training", "device", "data"]
    assert valid_keys(("claims", 4)) == ["metric", "condition", "reference", "expected", "margin"]
    assert valid_keys(("training", "epochs")) == []
    assert choices_at(("training", "engine")) == ["auto", "fast", "stock"]
    assert choices_at(("training",)) == []
