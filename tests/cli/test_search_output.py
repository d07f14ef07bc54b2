"""The results of a search on stdout."""

import json
import math
from pathlib import Path

import pytest

from dropout_lab.cli.search_output import print_search
from dropout_lab.errors import DropoutLabError
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.search.outcome import SearchOutcome
from dropout_lab.runs.search.trials import Trial, TrialState

TRIALS = (
    Trial(0, TrialState.COMPLETE, {"training.epochs": 5}, 0.7),
    Trial(1, TrialState.PRUNED, {"training.epochs": 6}, 0.95, "pruned after epoch 1"),
    Trial(2, TrialState.COMPLETE, {"training.epochs": 7}, 0.9),
    Trial(3, TrialState.FAILED, {"training.epochs": 8}, math.nan, "The loss became nan."),
)
VERDICT = "Confirmation on 3 fresh seeds, which no trial used: best is equivalent to baseline."


def outcome(trials=TRIALS, best=TRIALS[2]) -> SearchOutcome:
    return SearchOutcome(
        study="rates-00",
        file=Path("/lab/optuna.db"),
        objective="val_accuracy",
        num_trials=len(trials),
        trials=trials,
        best=best,
        report=Report(),
        verdict=VERDICT if best else "",
    )


def test_the_best_trials_come_first_and_the_verdict_after_them(capsys):
    print_search(outcome(), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 trials: 2 complete, 1 pruned, 1 failed"
    assert [line.split()[:3] for line in lines[3:7]] == [
        ["2", "90.00%", "7"],
        ["0", "70.00%", "5"],
        ["1", "95.00%", "6"],
        ["3", "-", "8"],
    ]
    assert lines[5].endswith("pruned after epoch 1")
    assert VERDICT in lines
    assert lines[-1] == "Trials: study rates-00 in /lab/optuna.db (Optuna)"


def test_json_has_all_trials_by_number(capsys):
    print_search(outcome(), as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert [trial["objective"] for trial in content["trials"]] == [0.7, 0.95, 0.9, None]
    assert content["trials"][1]["values"] == {"training.epochs": 6}
    assert content["best_trial"] == 2
    assert content["verdict"] == VERDICT
    assert content["storage"] == "sqlite:////lab/optuna.db"
    assert content["runs"] == []


def test_a_search_without_a_complete_trial_ends_with_an_error():
    with pytest.raises(DropoutLabError, match=r"No trial was completed .*: The loss became nan."):
        outcome(TRIALS[3:], best=None).raise_problems()
    outcome().raise_problems()
