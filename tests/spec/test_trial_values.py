"""Combinations of searched values that are checked before a search starts."""

import itertools

from dropout_lab.spec import Spec
from dropout_lab.spec.trial_values import combinations, listed_values


def test_pairs_stand_for_combinations_that_are_too_many():
    space = {f"training.{field}": [0.0, 0.1, 0.2] for field in ("l2", "weight_decay", "label_smoothing")}
    space["training.batch_size"] = {"low": 10, "high": 50}
    search = Spec(name="s", data={"validation": 0.2}, seeds=2, search={"space": space}).search
    everything = list(combinations(search, search.space))
    assert len(everything) == 2**4, "the ends of numbers stand for all"
    pairs = list(combinations(search, search.space, 15))
    assert len(pairs) == 6 * 4
    for first, second in itertools.combinations(space, 2):
        both = {(values[first], values[second]) for values in everything}
        assert {(values[first], values[second]) for values in pairs} >= both


def test_ends_of_a_range_have_the_type_of_its_field():
    space = {
        "training.batch_size": {"low": 10, "high": 50},
        "training.learning_rate": {"low": 1e-3, "high": 1},
    }
    search = Spec(name="s", data={"validation": 0.2}, seeds=2, search={"space": space}).search
    values = {key: listed_values(key, each) for key, each in search.space.items()}
    assert values == {"training.batch_size": (10, 50), "training.learning_rate": (1e-3, 1.0)}
    assert [type(one) for each in values.values() for one in each] == [int, int, float, float]
