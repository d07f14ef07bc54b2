"""Finished runs are evaluated from what they logged, and their results logged to the runs themselves."""

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.evaluation.measures import measure_all
from dropout_lab.evaluation.registry import EVALUATED_METRICS, METRICS
from dropout_lab.evaluation.uncertainty import entropy
from dropout_lab.records import RunRecord
from dropout_lab.runs.evaluation import EvaluationReport, evaluate_found
from dropout_lab.runs.evaluation_parts import PARTS, Part, PartResult, missing_parts
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.tracking import load_predictions, load_test_probs, read_runs

EVALUATION = EvaluationSpec(mc_samples=8)
TINY = {
    "training": {"epochs": 1, "batch_size": 50},
    "data": {"num_train": 250, "num_test": 100, "validation": 50},
    "model": {"filters": (4, 8), "hidden_units": 16},
}
CONDITIONS = {
    "none": {"model": {"dropout": 0}},
    "half": {"model": {"dropout": 0.5}},
    "blocks": {"model": {"dropout": {"conv1": {"kind": "dropblock", "rate": 0.2}, "dense": 0.5}}},
    "learned": {"model": {"dropout": {"dense": {"kind": "concrete", "rate": 0.2}}}},
}


def by_name(experiment: str) -> dict[str, RunRecord]:
    return {run.run_name: run for run in read_runs(experiment)}


def evaluated(run: RunRecord) -> Mapping[str, float]:
    return {name: run.metrics[name] for name in EVALUATED_METRICS if name in run.metrics}


def evaluate_runs(runs: Iterable[RunRecord], spec: EvaluationSpec, **options: bool) -> EvaluationReport:
    return evaluate_found(list(runs), spec, lambda _: nullcontext(), **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with trained runs, and the same ones evaluated as their spec asks."""
    folder = tmp_path_factory.mktemp("evaluated")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dl.run(dl.Spec(name="plain", conditions=CONDITIONS, **TINY), progress=False)
        spec = dl.Spec(name="asked", conditions=CONDITIONS, evaluation={"mc_samples": 8}, **TINY)
        dl.run(spec, progress=False)
    return folder


@pytest.fixture
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
def test_the_command_gives_the_metrics_that_the_spec_gives_and_no_other_weights(in_folder: Path) -> None:
    report = evaluate_runs(by_name("plain").values(), EVALUATION)
    assert (report.failures, report.skipped, report.notes) == ([], [], [])
    later, at_once = by_name("plain"), by_name("asked")
    for name, run in later.items():
        assert (run.run_key, run.final_weights) == (at_once[name].run_key, at_once[name].final_weights)
        assert run.spec == at_once[name].spec
        assert evaluated(run) == pytest.approx(evaluated(at_once[name]), rel=1e-5, abs=1e-6), name
        assert json.loads(run.evaluated) == json.loads(at_once[name].evaluated)
        own, other = (load_predictions(one, "monte_carlo") for one in (run, at_once[name]))
        np.testing.assert_allclose(own["probs"], other["probs"], atol=2e-3)
    again = evaluate_runs(later.values(), EVALUATION)
    assert (again.evaluated, len(again.skipped)) == ({}, 4)
    # The metrics are those of the arrays beside them, and dropout is on where there is any.
    arrays = load_predictions(later["half-seed0"], "monte_carlo")
    probs, labels = load_test_probs(later["half-seed0"])
    np.testing.assert_array_equal(arrays["labels"], labels)
    metrics = later["half-seed0"].metrics
    for name, value in measure_all(arrays["probs"].astype(np.float32), labels).items():
        assert metrics[f"mc_{name}"] == pytest.approx(value, abs=0.02), name
    np.testing.assert_allclose(arrays["entropy"], entropy(arrays["probs"]), atol=5e-3)
    assert metrics["mc_mutual_information"] > 1e-3
    for name in ("blocks-seed0", "learned-seed0"):
        assert later[name].metrics["mc_mutual_information"] > 1e-4
    plain = later["none-seed0"].metrics
    assert plain["mc_mutual_information"] == pytest.approx(0, abs=1e-6)
    assert plain["mc_loss"] == pytest.approx(plain["test_loss"])
    assert not np.array_equal(arrays["probs"], probs.astype(np.float16))


@pytest.mark.slow
def test_a_failed_run_stops_no_other_and_force_evaluates_again(in_folder: Path) -> None:
    runs = by_name("asked")
    damaged = replace(runs["half-seed0"], data_digest="0" * 36)
    missing = replace(runs["blocks-seed0"], run_id="0" * 32)
    report = evaluate_runs([damaged, missing, runs["none-seed0"]], EVALUATION, force=True)
    assert [one.name for one in report.failures] == ["half-seed0", "blocks-seed0"]
    assert "data are not those of the run" in report.failures[0].message
    assert list(report.evaluated) == [runs["none-seed0"].run_id]
    with pytest.raises(dl.DropoutLabError, match="2 runs not evaluated") as error:
        report.raise_problems()
    assert error.value.exit_code == 1


@pytest.mark.slow
def test_a_run_keeps_its_last_value_and_gets_only_missing_parts(in_folder: Path) -> None:
    run = by_name("asked")["half-seed0"]
    before = run.metrics
    report = evaluate_runs([run], EvaluationSpec(mc_samples=20))
    # Only Monte Carlo dropout depends on the number of samples.
    assert set(report.evaluated[run.run_id]) == {name for name in EVALUATED_METRICS if name in before} & {
        name for name in before if name.startswith("mc_")
    }
    again = by_name("asked")["half-seed0"]
    assert again.metrics["mc_loss"] == report.evaluated[run.run_id]["mc_loss"] != before["mc_loss"]
    assert again.metrics["temperature"] == before["temperature"]


@pytest.mark.slow
def test_other_predictions_than_logged_are_refused(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = by_name("asked")["half-seed0"]
    probs, labels = load_test_probs(run)
    monkeypatch.setattr("dropout_lab.runs.evaluating.load_test_probs", lambda _: (probs[::-1], labels))
    report = evaluate_runs([run], EVALUATION, force=True)
    assert "does not predict what the run logged" in report.failures[0].message


def test_parts_are_missing_unless_a_run_has_them_with_equal_settings() -> None:
    def missing(evaluated: str, *, force: bool = False) -> list[str]:
        return [part.name for part in missing_parts(EVALUATION, evaluated, force=force)]

    default = ["confidence", "monte_carlo", "temperature"]
    assert missing("") == missing("not JSON") == missing("[]") == default
    assert missing('{"monte_carlo": {"mc_samples": 8}, "confidence": {}}') == ["temperature"]
    assert missing('{"monte_carlo": {"mc_samples": 9}, "confidence": {}, "temperature": {}}') == [
        "monte_carlo"
    ]
    everything = '{"monte_carlo": {"mc_samples": 8}, "confidence": {}, "temperature": {}}'
    assert missing(everything) == []
    assert missing(everything, force=True) == default


def test_a_part_that_was_measured_for_more_names_is_not_missing() -> None:
    def missing(record: object, **asked: object) -> list[str]:
        usual = {"confidence": {}, "monte_carlo": {"mc_samples": 8}, "temperature": {}}
        spec = EVALUATION.model_copy(update=asked)
        return [part.name for part in missing_parts(spec, json.dumps(usual | {"shift": {"shift": record}}))]

    assert missing(["noise", "blur"], shift=("blur",)) == missing(["blur"], shift=("blur",)) == []
    assert missing(["noise"], shift=("noise", "blur")) == missing([], shift=("noise",)) == ["shift"]
    assert missing("noise", shift=("noise",)) == missing([1, ["noise"]], shift=("noise",)) == ["shift"]


def test_every_part_has_a_name_of_its_own() -> None:
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() for name in names)


def test_metrics_depend_on_settings_that_parts_have() -> None:
    spec = EvaluationSpec(shift="all", ood="all", pooling=True)
    known = {f"{part.name}.{setting}" for part in PARTS for setting in part.settings(spec) or ()}
    named = {setting for metric in METRICS.values() for setting in metric.settings}
    assert named == {one for one in known if one.endswith(".mc_samples")}


def test_a_new_part_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("mine", lambda _: {"a": 1}, lambda *_: PartResult({"mc_loss": 1.0}))
    monkeypatch.setattr("dropout_lab.runs.evaluation_parts.PARTS", (part,))
    from dropout_lab.runs.evaluation_parts import evaluate_parts

    found = evaluate_parts(None, EVALUATION, evaluated='{"other": {}}')  # type: ignore[arg-type]
    assert found.metrics == {"mc_loss": 1.0}
    assert json.loads(found.tags["dropout_lab.evaluated"]) == {"mine": {"a": 1}, "other": {}}


def test_results_that_are_not_finite_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from dropout_lab.runs.evaluation_parts import evaluate_parts

    part = Part("mine", lambda _: {}, lambda *_: PartResult({"mc_loss": float("nan")}))
    with pytest.raises(dl.DropoutLabError, match="mine are not finite"):
        evaluate_parts(None, EVALUATION, [part])  # type: ignore[arg-type]
