"""Runs of trials and of the confirmation, and how trials are described."""

import math

from dropout_lab.runs.search.trials import (
    Trial,
    TrialState,
    confirmation_runs,
    describe_state,
    in_words,
    max_epochs,
    runs_in_words,
    trial_runs,
)
from dropout_lab.spec import Spec, load_spec

VALUES = {"training.learning_rate": 0.00123456, "model.dropout.dense": 0.25}
SPEC = Spec(
    name="rates",
    experiment="rates",
    data={"validation": 0.2},
    training={"epochs": 3},
    seeds=4,
    search={
        "space": {"training.learning_rate": [0.001, 0.00123456], "model.dropout.dense": [0, 0.25]},
        "seeds": [50, 51],
    },
)
TRIAL = Trial(7, TrialState.COMPLETE, VALUES, 0.8125)


def test_a_trial_has_one_run_per_seed_of_the_search_with_its_values():
    runs = trial_runs(SPEC, TRIAL)
    assert [run.name for run in runs] == ["trial7-seed50", "trial7-seed51"]
    for run in runs:
        assert run.settings.training.learning_rate == 0.00123456
        assert run.settings.model.rates == {"conv1": 0, "conv2": 0, "dense": 0.25}
        assert run.settings.training.epochs == 3
        assert (run.origin.experiment, run.origin.trial) == ("rates-search", "7")


def test_the_confirmation_is_a_fixed_design_of_two_conditions_on_other_seeds():
    runs = confirmation_runs(SPEC, TRIAL)
    assert {(run.condition, run.seed) for run in runs} == {
        (condition, seed) for condition in ("baseline", "best") for seed in range(4)
    }
    assert not {run.seed for run in runs} & {run.seed for run in trial_runs(SPEC, TRIAL)}
    rates = {run.condition: run.settings.training.learning_rate for run in runs}
    assert rates == {"baseline": 0.001, "best": 0.00123456}
    assert {(run.origin.experiment, run.origin.trial) for run in runs} == {("rates", "")}
    assert '"most": 4' in runs[0].origin.design
    assert '"num_conditions": 2' in runs[0].origin.design


def test_the_most_epochs_come_from_the_space_if_it_has_them():
    assert max_epochs(SPEC) == 3
    search = {"space": {"training.epochs": {"low": 2, "high": 9}}}
    assert max_epochs(Spec(name="a", data={"validation": 0.2}, seeds=2, search=search)) == 9


def test_the_number_of_runs_is_told(repository):
    assert runs_in_words(load_spec(repository / "experiments" / "search.yaml")) == (
        "40 runs at most in search-search: 20 trials of 2 seeds\n"
        "20 runs in search: baseline and best with 10 fresh seeds each"
    )


def test_trials_are_described_with_short_names_and_their_objective():
    assert in_words(VALUES) == "learning_rate 0.001235, dense 0.25"
    assert in_words({"model.hidden": [16, 8], "training.optimizer": "sgd"}) == "hidden [16, 8], optimizer sgd"
    assert describe_state(TRIAL, "val_accuracy") == "trial 7: val accuracy 81.25%"
    pruned = Trial(8, TrialState.PRUNED, VALUES, 0.5, "pruned after epoch 1")
    assert describe_state(pruned, "val_accuracy") == "trial 8: pruned after epoch 1, val accuracy 50.00%"
    failed = Trial(9, TrialState.FAILED, VALUES, math.nan, "The loss became nan.")
    assert describe_state(failed, "val_loss") == "trial 9: The loss became nan."
