import pytest

from dropout_lab.cli.run_display import print_outcomes
from dropout_lab.runs.display import RunDisplay
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.spec import Settings


@pytest.fixture
def make_outcome():
    def make(condition, experiment="a study", **states):
        run = PlannedRun(condition, 0, Settings(), Origin(experiment))
        return RunOutcome(run, "0123456789abcdef", {"test_accuracy": 0.5}, "http://host/#/run", **states)

    return make


def test_runs_are_numbered_whatever_becomes_of_them(make_outcome, capsys):
    with RunDisplay(3) as display:
        display.finished(make_outcome("baseline", was_finished=True))
        display.failed(Failure("dropout-seed0", "out of memory"))
        display.finished(make_outcome("other", was_finished=True))
    assert capsys.readouterr().err.splitlines() == [
        "[1/3] baseline-seed0: already finished (01234567)",
        "dropout-seed0 failed: out of memory",
        "[3/3] other-seed0: already finished (01234567)",
    ]


def test_two_conditions_of_an_experiment_can_be_compared(make_outcome, capsys):
    print_outcomes([make_outcome("baseline"), make_outcome("dropout")], as_json=False)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "View: dropout-lab ui",
        "Compare: dropout-lab compare 'a study'",
    ]
    print_outcomes([make_outcome("baseline"), make_outcome("dropout", "other")], as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "View: dropout-lab ui"


def test_without_results_only_scripts_get_something(capsys):
    print_outcomes([], as_json=False)
    assert capsys.readouterr().out == ""
    print_outcomes([], as_json=True)
    assert capsys.readouterr().out == "[]\n"
