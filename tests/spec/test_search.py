"""The search of a spec: its values, and what is refused with place and remedy."""

import math

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec, load_spec
from dropout_lab.spec.search import FIRST_SEED, Range

SPEC = """\
name: rates
data: {validation: 0.2}
seeds: 5
search:
  space:
    training.learning_rate: {low: 1e-4, high: 1e-2, log: true}
    model.dropout.dense: [0, 0.25, 0.5]
    training.batch_size: {low: 20, high: 100, step: 20}
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "rates.yaml"
    file.write_text(SPEC)
    return file


def test_defaults_measure_each_of_20_trials_with_two_seeds_far_from_those_of_the_spec(path):
    search = load_spec(path).search
    assert search.num_trials == 20
    assert search.seeds == (FIRST_SEED, FIRST_SEED + 1)
    assert load_spec(path, ["search.seeds=3"]).search.seeds == (FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2)


def test_a_search_compares_a_baseline_with_the_best_trial(path):
    spec = load_spec(path, ["claims=[{metric: test_accuracy, condition: best, expected: higher}]"])
    assert spec.condition_names == ("baseline", "best")


def test_the_yaml_of_a_search_gives_the_same_search(path, tmp_path):
    spec = load_spec(path)
    again = tmp_path / "again.yaml"
    again.write_text(spec.to_yaml())
    assert load_spec(again).search == spec.search


def test_in_python_keywords_do_the_same(path):
    keywords = {
        "training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "model.dropout.dense": [0, 0.25, 0.5],
        "training.batch_size": {"low": 20, "high": 100, "step": 20},
    }
    spec = Spec(name="rates", data={"validation": 0.2}, seeds=5, search={"space": keywords})
    assert spec.search == load_spec(path).search


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (Range(low=1, high=3), (1, 2, 3)),
        (Range(low=20, high=100, step=40), (20, 60, 100)),
        (Range(low=0, high=0.3, step=0.1), (0, 0.1, 0.2, 0.3)),
        (Range(low=0.0, high=0.5, step=0.2), (0.0, 0.2, 0.4)),
    ],
)
def test_a_stepped_range_has_all_its_values(values, expected):
    assert values.values == expected
    assert values.count == len(expected)


def test_a_continuous_range_has_no_end_of_values():
    assert Range(low=0.0, high=1.0).count == math.inf
    assert Range(low=1, high=8, log=True).count == math.inf


def test_a_grid_tries_all_combinations_or_the_first_ones(path):
    grid = ["search.sampler=grid", "search.space.training.learning_rate=[0.001, 0.002]"]
    assert load_spec(path, grid).search.num_trials == 2 * 3 * 5
    assert load_spec(path, [*grid, "search.trials=7"]).search.num_trials == 7


@pytest.mark.parametrize(
    ("override", "place", "problem"),
    [
        ("data.validation=test", "data.validation", "may not choose by the test set"),
        ("search.objective=test_accuracy", "search.objective", "(allowed: val_accuracy or val_loss)"),
        ("seeds=1", "seeds", "(allowed: 2 or more, which confirm the best trial)"),
        ("search.seeds=[4, 5]", "search.seeds", "seed of the confirmation, too: 4"),
        ("search.seeds=[7, 7]", "search.seeds", "a seed is listed twice"),
        ("conditions={a: {}}", "conditions", "not allowed with search"),
        ("grid={training.epochs: [1, 2]}", "grid", "not allowed with search"),
        ("search.sampler=bayes", "search.sampler", "(allowed: tpe, random or grid)"),
        ("search.space.training.epochs=3", "search.space.training.epochs", "a list of 2 to 100 items"),
        ("search.space.training.epochs=[3]", "search.space.training.epochs", "a list of 2 to 100 items"),
        ("search.space.training.epochs=[3, 3]", "search.space.training.epochs", "duplicate value: 3"),
        ("search.space.training.lr=[1, 2]", "search.space.training.lr", "unknown key 'lr'"),
        ("search.space.device=[cpu, gpu]", "search.space.device", "not a field to search"),
        ("search.space.data.num_train=[50, 90]", "search.space.data.num_train", "not a field to search"),
        (
            "search.space.training.epochs={low: 5, high: 3}",
            "search.space.training.epochs.high",
            "invalid value: 3 (allowed: more than low, 5)",
        ),
        (
            "search.space.training.epochs={low: 1.5, high: 3}",
            "search.space.training.epochs",
            "invalid value: 1.5 (allowed: an integer from 1",
        ),
        (
            "search.space.training.epochs={low: 1, high: 3, step: 0.5}",
            "search.space.training.epochs",
            "invalid value: 1.0 (allowed: an integer from 1",
        ),
        (
            "search.space.training.l2={low: x, high: 1}",
            "search.space.training.l2.low",
            "invalid value: 'x' (text) (allowed: a number)",
        ),
        (
            "search.space.training.l2={low: 0, high: .inf}",
            "search.space.training.l2.high",
            "invalid value: inf (allowed: a number)",
        ),
        (
            "search.space.training.l2={low: 0, high: 1, step: 0}",
            "search.space.training.l2.step",
            "invalid value: 0 (allowed: a number above 0)",
        ),
        (
            "search.space={training.epochs: [1, 2], ' training.epochs': [2, 3]}",
            "search.space.training.epochs",
            "part of another field of the space, or the same",
        ),
        (
            "search.space.training.learning_rate={low: 0, high: 1, log: true}",
            "search.space.training.learning_rate.low",
            "(allowed with log: a number above 0)",
        ),
        (
            "search.space.training.learning_rate={low: 1, high: 2, log: true, step: 1}",
            "search.space.training.learning_rate.step",
            "not allowed with log",
        ),
        (
            "search.space.model.dropout.dens=[0, 0.5]",
            "search.space.model.dropout.dens",
            "did you mean 'dense'",
        ),
        ("search.space.model.dropout.conv1=[0, 1]", "search.space.model.dropout.conv1", "invalid value: 1"),
        ("search.space={training.optimizer: [adam, sdg]}", "search.space.training.optimizer", "'sgd'"),
    ],
)
def test_what_a_search_cannot_do_is_refused_at_its_place(path, override, place, problem):
    with pytest.raises(SpecError) as error:
        load_spec(path, [override])
    assert f"[{place}]" in str(error.value)
    assert problem in str(error.value)


def test_a_spec_that_leaves_out_its_validation_split_is_refused_with_the_remedy(path):
    path.write_text(SPEC.replace("data: {validation: 0.2}\n", ""))
    with pytest.raises(SpecError, match=r"\[data.validation\] .* \(allowed: a fraction between 0 and 1"):
        load_spec(path)


def test_a_grid_over_a_continuous_range_is_refused(path):
    with pytest.raises(
        SpecError, match=r"rates.yaml:6: \[search.space.training.learning_rate\] a range without"
    ):
        load_spec(path, ["search.sampler=grid"])


def test_a_part_of_a_searched_field_is_refused(path):
    with pytest.raises(SpecError, match="part of another field of the space"):
        load_spec(path, ["search.space.model.dropout=[0, 0.5]"])


def test_a_value_that_fails_only_together_with_the_other_settings_is_refused(path):
    with pytest.raises(
        SpecError, match=r"\[search.space.model.hidden\] does not apply to the network published"
    ):
        load_spec(path, ["search.space.model.hidden=[[16], [32]]"])


def searched(space, **settings):
    """Return a spec that searches `space`."""
    return Spec(name="s", data={"validation": 0.2}, seeds=2, search={"space": space}, **settings)


EARLY = {"model": {"dropout": {"dense": {"rate": 0.5, "schedule": {"shape": "early", "until": 3}}}}}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("space", "settings", "problem"),
    [
        (
            {"training.epochs": [10, 5], "model.dropout.dense.schedule.until": [3, 7]},
            EARLY,
            "[search.space.model.dropout.dense.schedule.until] invalid value: 7 (allowed: at most 4, 1 below",
        ),
        (
            {
                "model.dropout.dense.kind": ["dropblock", "standard"],
                "model.dropout.dense.block_size": [3, 5],
            },
            {"model": {"dropout": 0.2}},
            "[search.space.model.dropout.dense.block_size] does not apply to the kind standard",
        ),
        (
            {"model.dropout.dense.length_scale": [0.1, 0.2], "training.epochs": [2, 3]},
            {"model": {"dropout": {"dense": {"rate": 0.2, "kind": "dropblock"}}}},
            "[search.space.model.dropout.dense.length_scale] does not apply to the kind dropblock",
        ),
        (
            {"training.momentum": [0.5, 0.9], "training.nesterov": [True, False]},
            {},
            "[search.space.training.momentum] does not apply to the optimizer adam",
        ),
    ],
)
def test_any_combination_that_fails_is_refused_whatever_the_order(space, settings, problem, reverse):
    ordered = {key: values[::-1] if reverse else values for key, values in space.items()}
    with pytest.raises(SpecError) as error:
        searched(ordered, **settings)
    assert problem in str(error.value)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("space", "settings"),
    [
        ({"training.optimizer": ["sgd", "adam"], "training.momentum": [0, 0.9]}, {}),
        (
            {"training.nesterov": [True, False], "training.momentum": [0, 0.9]},
            {"training": {"optimizer": "sgd"}},
        ),
        ({"model.dropout.dense.rate": [0, 0.5], "model.dropout.dense.schedule": ["cosine", "linear"]}, {}),
        (
            {
                "model.dropout.dense.schedule.shape": ["linear", "curriculum"],
                "model.dropout.dense.schedule.gamma": [1.0, 5.0],
            },
            EARLY,
        ),
    ],
)
def test_a_field_may_be_without_effect_in_some_trials(space, settings, reverse):
    ordered = {key: values[::-1] if reverse else values for key, values in space.items()}
    assert searched(ordered, **settings).search.num_combinations == 4
