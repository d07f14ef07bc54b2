"""Settings of an evaluation are facts of the runs that have a metric that depends on them."""

from collections.abc import Callable

from dropout_lab.comparison.confounds import NOT_LOGGED
from dropout_lab.comparison.evaluation_facts import evaluation_facts, with_evaluation
from dropout_lab.records import RunRecord

MakeRun = Callable[..., RunRecord]
KEY = "evaluation.monte_carlo.mc_samples"


def test_runs_without_the_metric_have_no_such_fact(make_run: MakeRun) -> None:
    record = '{"monte_carlo": {"mc_samples": 5}}'
    runs = [
        make_run("baseline", 0, mc_loss=0.5, evaluated=record),
        make_run("baseline", 1, evaluated=record),
        make_run("dropout", 0, mc_accuracy=0.5),
    ]
    found = evaluation_facts(runs, ["mc_loss", "mc_accuracy", "test_loss"])
    assert found == {KEY: {"baseline": {0: {KEY: "5"}}, "dropout": {0: {KEY: NOT_LOGGED}}}}
    assert evaluation_facts(runs, ["test_loss", "shift_accuracy"]) == {}
    facts = {"baseline": {0: {"a": "b"}, 1: {}}, "dropout": {0: {}}}
    assert with_evaluation(facts, found) == {
        "baseline": {0: {"a": "b", KEY: "5"}, 1: {}},
        "dropout": {0: {KEY: NOT_LOGGED}},
    }
