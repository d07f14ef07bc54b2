"""The Optuna study of a search: which trials there are, whenever a call was killed."""

import subprocess
import sys

import pytest

from dropout_lab.errors import DropoutLabError, UsageError
from dropout_lab.runs.search.search import require_optuna
from dropout_lab.runs.search.study import open_study, study_file
from dropout_lab.runs.search.trials import TrialState, study_name
from dropout_lab.spec import Spec
from dropout_lab.tracking import Location

SPACE = {
    "training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "training.batch_size": {"low": 20, "high": 100, "step": 20},
    "model.dropout.dense": {"low": 0, "high": 0.6, "step": 0.1},
    "model.filters": [[4, 8], [8, 16]],
}


@pytest.fixture
def location(tmp_path, monkeypatch) -> Location:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mlflow.db"
    return Location(f"sqlite:///{file}", str(file), file)


def make_spec(space=SPACE, **search) -> Spec:
    return Spec(
        name="rates",
        experiment="rates",
        data={"validation": 0.2},
        seeds=5,
        search={"space": space, "trials": 6, **search},
    )


def objective(trial) -> float:
    return trial.values["training.learning_rate"] * trial.values["training.batch_size"]


def finish(study, num: int) -> None:
    for _ in range(num):
        opened = study.next()
        opened.complete(objective(opened.trial))


def values_of(study) -> list[dict]:
    return [dict(trial.values) for trial in study.trials]


def test_a_search_that_is_killed_at_any_moment_has_the_trials_that_it_would_have_had(location, tmp_path):
    spec = make_spec(trials=3)
    with open_study(spec, location, 2) as study:
        finish(study, 3)
        assert study.next() is None
        uninterrupted = values_of(study)
    elsewhere = Location("", "", tmp_path / "elsewhere" / "mlflow.db")
    elsewhere.file.parent.mkdir()
    for number in range(3):
        with open_study(spec, elsewhere, 2) as study:
            killed = study.next()
            killed.report(1, 0.5)
        with open_study(spec, elsewhere, 2) as study:
            opened = study.next()
            assert opened.trial.number == killed.trial.number == number
            assert opened.trial.values == killed.trial.values
            opened.report(1, 0.5)
            opened.complete(objective(opened.trial))
    with open_study(spec, elsewhere, 2) as study:
        assert study.next() is None
        assert values_of(study) == uninterrupted


@pytest.mark.slow
def test_values_are_those_of_the_space(location):
    with open_study(make_spec(trials=20, sampler="random"), location, 2) as study:
        finish(study, 20)
        found = values_of(study)
    assert all(1e-4 <= one["training.learning_rate"] <= 1e-2 for one in found)
    assert {one["training.batch_size"] for one in found} <= {20, 40, 60, 80, 100}
    assert {one["model.dropout.dense"] for one in found} <= {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}
    assert all(isinstance(one["training.batch_size"], int) for one in found)
    assert {tuple(one["model.filters"]) for one in found} == {(4, 8), (8, 16)}
    assert len({one["training.learning_rate"] for one in found}) == 20


@pytest.mark.slow
def test_a_grid_tries_each_combination_once_though_it_is_reopened(location):
    space = {"training.epochs": [1, 2], "training.batch_size": {"low": 10, "high": 30, "step": 10}}
    spec = make_spec(space, sampler="grid", trials=None)
    for _ in range(6):
        with open_study(spec, location, 2) as study:
            study.next()  # the call is killed
        with open_study(spec, location, 2) as study:
            study.next().complete(0.5)
    with open_study(spec, location, 2) as study:
        assert study.next() is None
        found = [(one["training.epochs"], one["training.batch_size"]) for one in values_of(study)]
    assert found == [(1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (2, 30)]


@pytest.mark.parametrize(("metric", "best"), [("val_accuracy", 1), ("val_loss", 0)])
def test_the_best_trial_is_complete_and_the_first_of_equals(location, metric, best):
    with open_study(make_spec(objective=metric), location, 2) as study:
        assert study.best is None
        for value in (0.2, 0.7, 0.7, 0.2):
            study.next().complete(value)
        pruned = study.next()
        pruned.report(1, 0.9 if metric == "val_accuracy" else 0.1)
        pruned.prune("pruned after epoch 1")
        study.next().fail("The loss became nan.")
        assert study.best.number == best
        assert [trial.state for trial in study.trials[4:]] == [TrialState.PRUNED, TrialState.FAILED]
        assert study.trials[4].reason == "pruned after epoch 1"


def test_a_trial_that_is_worse_than_half_of_the_others_at_the_same_step_is_pruned(location):
    with open_study(make_spec(trials=10), location, 2) as study:
        for value in (0.5, 0.6, 0.7, 0.8, 0.9):
            opened = study.next()
            opened.report(1, value)
            opened.complete(value)
        worse, better = study.next(), study.next()
        worse.report(1, 0.65)
        better.report(1, 0.75)
        assert worse.should_prune()
        assert not better.should_prune()


@pytest.mark.slow
def test_more_trials_continue_a_study_and_another_space_begins_one(location):
    with open_study(make_spec(trials=2), location, 2) as study:
        finish(study, 2)
        assert study.next() is None
        first = values_of(study)
    with open_study(make_spec(trials=3), location, 2) as study:
        finish(study, 1)
        assert values_of(study)[:2] == first
    assert study_name(make_spec()) != study_name(make_spec({"training.epochs": [1, 2]}))
    assert study_name(make_spec()) != study_name(make_spec(seeds=3))


def test_fresh_deletes_the_trials(location):
    with open_study(make_spec(), location, 2) as study:
        finish(study, 1)
    with open_study(make_spec(), location, 2, fresh=True) as study:
        assert study.trials == []


def test_two_processes_do_not_run_one_search(location):
    with (
        open_study(make_spec(), location, 2),
        pytest.raises(DropoutLabError, match="Another process runs the search rates-"),
        open_study(make_spec(), location, 2),
    ):
        pass


def test_a_damaged_file_is_named(location):
    study_file(location).write_bytes(b"no database" * 100)
    with (
        pytest.raises(DropoutLabError, match=r"optuna.db cannot be read"),
        open_study(make_spec(), location, 2),
    ):
        pass


def test_nothing_imports_optuna_before_a_search_needs_it():
    code = "import sys, dropout_lab.cli.run, dropout_lab.runs.search.search;sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_optuna_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"pip install 'dropout_lab\[search\]'"):
        require_optuna()
