"""Grids: the conditions that they expand to, and every mistake in one place of the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.runs.planning import plan_runs
from dropout_lab.spec import Settings, Spec, condition_settings, load_spec
from dropout_lab.spec.expectations import NAME_IN_WORDS

Load = Callable[..., Spec]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, *overrides: str) -> Spec:
        path = tmp_path / "g.yaml"
        path.write_text(f"name: g\n{text}\n", encoding="utf-8")
        return load_spec(path, overrides)

    return load


def problems(load: Load, text: str, *overrides: str) -> list[str]:
    with pytest.raises(SpecError) as raised:
        load(text, *overrides)
    return [line.partition("g.yaml:")[2] or line for line in raised.value.problems]


def test_each_combination_is_a_condition(load: Load) -> None:
    spec = load(
        "model: {dropout: {conv1: 0.1}}\n"
        "grid:\n  model.dropout.dense: [0, 0.25]\n  data.num_train: [1000, 5000]\n"
        "conditions: {baseline: {model: {dropout: 0}}}"
    )
    settings = condition_settings(spec)
    assert list(settings) == [
        "baseline",
        "dense-0_num_train-1000",
        "dense-0_num_train-5000",
        "dense-0.25_num_train-1000",
        "dense-0.25_num_train-5000",
    ]
    last = settings["dense-0.25_num_train-5000"]
    assert last.model.rates == {"conv1": 0.1, "conv2": 0.0, "dense": 0.25}
    assert last.data.num_train == 5000
    assert len(plan_runs(spec)) == 5


def test_a_condition_of_a_grid_is_the_one_written_by_hand(load: Load) -> None:
    grid = load("grid: {model.dropout: [0, 0.5]}")
    by_hand = load("conditions: {dropout-0: {model: {dropout: 0}}, dropout-0.5: {model: {dropout: 0.5}}}")
    assert [run.spec_fingerprint for run in plan_runs(grid)] == [
        run.spec_fingerprint for run in plan_runs(by_hand)
    ]
    assert condition_settings(grid) == condition_settings(by_hand)


def test_zipped_fields_vary_together(load: Load) -> None:
    spec = load(
        "grid:\n"
        "  zip: {model.filters: [[16, 32], [32, 64]], model.hidden_units: [64, 128]}\n"
        "  training.optimizer: [adam, sgd]"
    )
    assert list(spec.conditions) == [
        "filters-16+32_hidden_units-64_optimizer-adam",
        "filters-16+32_hidden_units-64_optimizer-sgd",
        "filters-32+64_hidden_units-128_optimizer-adam",
        "filters-32+64_hidden_units-128_optimizer-sgd",
    ]
    settings = condition_settings(spec)["filters-32+64_hidden_units-128_optimizer-sgd"]
    assert (settings.model.filters, settings.model.hidden_units) == ((32, 64), 128)
    assert settings.training.optimizer == "sgd"


@pytest.mark.parametrize(
    ("grid", "names"),
    [
        ("training.learning_rate: [0.001, 1e-5]", ["learning_rate-0.001", "learning_rate-1e-05"]),
        ("data.num_train: [null, 500]", ["num_train-none", "num_train-500"]),
        ("data.resample: [true, false]", ["resample-true", "resample-false"]),
        ("model.dropout: [{conv1: 0.1}, {dense: 0.5}]", ["dropout-conv1-0.1", "dropout-dense-0.5"]),
        ('"model.dropout.conv*": [0, 0.1]', ["conv-0", "conv-0.1"]),
        ("data.validation: [test, 0.1]", ["validation-test", "validation-0.1"]),
        (
            "model.network: ['nets/a.py:build', b.keras]",
            ["network-nets-a.py-build", "network-b.keras"],
        ),
    ],
)
def test_names_show_the_values(load: Load, grid: str, names: list[str]) -> None:
    assert list(load(f"grid: {{{grid}}}").conditions) == names


def test_a_site_may_have_dots_in_its_name(load: Load) -> None:
    spec = load("model: {network: 'm:f'}\ngrid: {model.dropout.lstm.recurrent_dropout: [0, 0.2]}")
    assert list(spec.conditions) == ["recurrent_dropout-0", "recurrent_dropout-0.2"]
    assert spec.conditions["recurrent_dropout-0.2"].model.dropout == {"lstm.recurrent_dropout": 0.2}


def test_a_label_is_as_long_as_it_must_be(load: Load) -> None:
    spec = load("model: {network: 'm:f'}\ngrid: {model.dropout.a.cell: [0, 0.1], model.dropout.b.cell: [0]}")
    assert list(spec.conditions) == ["a.cell-0_b.cell-0", "a.cell-0.1_b.cell-0"]


def test_the_grid_can_be_overridden(load: Load) -> None:
    text = "grid: {model.dropout.dense: [0, 0.2], training.epochs: [1, 2]}"
    spec = load(text, "grid.model.dropout.dense=[0.4]", "training.batch_size=50")
    assert list(spec.conditions) == ["dense-0.4_epochs-1", "dense-0.4_epochs-2"]
    zipped = load(text, "grid.zip={training.batch_size: [10, 20], data.num_train: [100, 200]}")
    assert len(zipped.conditions) == 8


@pytest.mark.parametrize("override", ["model.dropout.dense=0.3", "model.dropout=0.3"])
def test_an_override_below_the_grid_is_refused(load: Load, override: str) -> None:
    (problem,) = problems(load, "grid: {model.dropout.dense: [0, 0.2]}", override)
    assert problem.endswith("conditions that set it themselves (override grid.model.dropout.dense instead)")


LISTS = "(allowed: a mapping of fields, such as training.epochs, to lists of values)"
MISTAKES = {
    "grid: [1]": f"2: [grid] not a mapping {LISTS}",
    "grid:": f"2: [grid] empty {LISTS}",
    "grid: {}": f"2: [grid] empty {LISTS}",
    "grid: {training.epochs: 3}": "2: [grid.training.epochs] not a list: 3 (allowed: a list of values)",
    "grid: {training.epochs: []}": "2: [grid.training.epochs] empty list (allowed: a list of values)",
    "grid:\n  training.epochs: [3, 3]": "3: [grid.training.epochs] duplicate value: 3",
    "grid: {model.dropout: [0.1, 0.10]}": "2: [grid.model.dropout] duplicate value: 0.1",
    "grid: {trainin.epochs: [3]}": (
        "2: [grid.trainin.epochs] unknown key 'trainin' (did you mean 'training'?)"
    ),
    "grid: {training.epoch: [3, 4]}": "2: [grid.training.epoch] unknown key 'epoch' (did you mean 'epochs'?)",
    "grid: {dropout.dense: [0, 0.1]}": (
        "2: [grid.dropout.dense] unknown key 'dropout' (did you mean 'model.dropout'?)"
    ),
    "grid: {seeds: [1, 2]}": ("2: [grid.seeds] unknown key 'seeds' (allowed: model, training, device, data)"),
    "grid:\n  model.dropout.dens: [0, 0.2]": (
        "3: [grid.model.dropout.dens] unknown site: 'dens' (did you mean 'dense'?)"
    ),
    "grid:\n  training.epochs: [1]\n  data.num_train:\n  - 500\n  - many": (
        "4: [grid.data.num_train] invalid value: 'many' (text) (allowed: an integer at least 10)"
    ),
    "grid: {device.kind: [cpu]}": (
        "2: [grid.device.kind] invalid value: a mapping (allowed: auto, cpu, gpu, gpu:N or gpus)"
    ),
    "grid: {model.dropout: [0], model.dropout.dense: [0]}": (
        "2: [grid.model.dropout.dense] part of grid.model.dropout, which is listed too"
    ),
    "grid: {zip: {training.epochs: [1]}}": (
        "2: [grid.zip] not a mapping of two or more fields to lists of equal length"
    ),
    "grid: {zip: {training.epochs: [1, 2], data.num_train: [100]}}": (
        "2: [grid.zip] lists of different lengths: training.epochs 2, data.num_train 1"
    ),
    "grid: {training.epochs: [1], zip: {training.epochs: [1], data.num_train: [100]}}": (
        "2: [grid.zip] a field is listed twice"
    ),
    "grid: {training.epochs: [1]}\nconditions: {epochs-1: {}}": (
        "2: [grid] the name 'epochs-1' is that of a condition written by hand, too"
    ),
    "grid: {model.dropout: [0, 0.2]}\nconditions: {baseline: {}}": (
        "2: [grid] condition 'dropout-0' has the settings of 'baseline' (remove one of them)"
    ),
    f"grid: {{training.epochs: {list(range(1, 102))}}}": (
        "2: [grid] too many conditions: 101 (allowed: 100)"
    ),
    f"grid: {{model.network: ['{'n' * 100}.keras']}}": (
        f"2: [grid.model.network] invalid name: 'network-{'n' * 68}... (allowed: {NAME_IN_WORDS})"
    ),
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_named_once_with_its_place(load: Load, text: str) -> None:
    assert problems(load, text) == [MISTAKES[text]]


def test_mistakes_of_the_grid_and_of_other_fields_are_named_together(load: Load) -> None:
    found = problems(load, "grid: {training.epochs: 3}\ntraining: {batch_size: 0}")
    assert [line.partition("]")[0] for line in found] == [
        "2: [grid.training.epochs",
        "3: [training.batch_size",
    ]


def test_a_claim_may_be_about_a_condition_of_the_grid(load: Load) -> None:
    claim = "{metric: test_loss, condition: dense-0.5, reference: dense-0, expected: lower}"
    spec = load(f"grid: {{model.dropout.dense: [0, 0.5]}}\nclaims: [{claim}]")
    assert spec.claims[0].condition == "dense-0.5"
    (problem,) = problems(load, f"grid: {{model.dropout.dense: [0, 0.4]}}\nclaims: [{claim}]")
    assert "unknown condition: 'dense-0.5' (did you mean 'dense-0.4'?)" in problem


def test_a_grid_in_python() -> None:
    spec = Spec(name="g", grid={"training.epochs": range(1, 3)})
    assert spec.conditions == {
        f"epochs-{count}": Settings.model_validate({"training": {"epochs": count}}) for count in (1, 2)
    }
    assert "grid" not in spec.to_yaml()
    with pytest.raises(SpecError, match=r"^dl\.Spec: \[grid\.training\.epochs\] invalid value: 0 \(allowed:"):
        Spec(name="g", grid={"training.epochs": [0]})
