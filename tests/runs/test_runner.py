"""One run from its plan to the tracking store, on real data and a real store, in this process."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.errors import Interrupted, TrackingUnavailable, TrainingError
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.choosing import choose_workspaces
from dropout_lab.runs.evaluation_parts import missing_parts
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.runner import Runner
from dropout_lab.runs.workspace import STATE_ROOT, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.tracking import Tracker, connect, load_test_probs, read_runs
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.loop import Progress
from dropout_lab.training.trainer import Trainer

EPOCH_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


@pytest.fixture
def planned(lab: Path) -> list[PlannedRun]:
    """The baseline's and the dropout run of the tiny spec."""
    return plan_runs(load_spec(lab / "tiny.yaml"))


@pytest.fixture
def execute(make_listener):  # type: ignore[no-untyped-def]
    """Execute one run; return its outcome and the listener."""

    def call(run: PlannedRun, *, stop_after: int = 0, tracker: Tracker | None = None, fresh: bool = False):  # type: ignore[no-untyped-def]
        listener = make_listener(stop_after)
        runner = Runner(tracker or connect(run.origin.experiment), listener, listener.stop)
        outcome = runner.execute(run, load_data(run.settings.data), resolve_device("cpu"), fresh=fresh)
        return outcome, listener

    return call


def only_run() -> RunRecord:
    (record,) = read_runs("tiny in lab", histories=EPOCH_METRICS)
    return record


def test_a_run_is_logged_whole(execute, planned: list[PlannedRun]) -> None:
    outcome, listener = execute(planned[1])
    assert listener.phases == ["preparing", "evaluating", "logging results", "logging model"]
    run = only_run()
    assert (run.run_id, run.status, run.condition, run.seed) == (
        outcome.run_id,
        RunStatus.FINISHED,
        "dropout",
        0,
    )
    assert run.spec["model.dropout.dense"] == "0.5"
    assert run.spec["training.epochs"] == "3"
    assert {name: len(values) for name, values in run.history.items()} == dict.fromkeys(EPOCH_METRICS, 3)
    assert run.metrics["generalization_gap"] == pytest.approx(
        run.metrics["train_accuracy"] - run.metrics["test_accuracy"]
    )
    assert all(
        getattr(run, name)
        for name in ("initial_weights", "batch_order", "final_weights", "data_digest", "spec_fingerprint")
    )
    assert set(run.versions) >= {"tensorflow", "keras", "python", "dropout_lab"}
    probs, labels = load_test_probs(run)
    assert np.mean(probs.argmax(axis=1) == labels) == pytest.approx(run.metrics["test_accuracy"])


def test_the_artifacts_and_the_model_are_there(execute, planned: list[PlannedRun]) -> None:
    import keras
    import mlflow

    outcome, _ = execute(planned[1])
    client = mlflow.MlflowClient()
    paths = {
        file.path
        for folder in ("", "spec", "plots", "predictions")
        for file in client.list_artifacts(outcome.run_id, folder or None)
    }
    assert paths >= {
        "spec/given.yaml",
        "spec/resolved.yaml",
        "model_summary.txt",
        "plots/learning_curves.png",
        "plots/confusion_matrix.png",
        "predictions/test_probs.npz",
        "evaluation.json",
    }
    example = np.zeros((2, 28, 28, 1), np.float32)
    uri = f"runs:/{outcome.run_id}/{outcome.run.condition}"
    expected = mlflow.keras.load_model(uri).predict(example, verbose=0)
    served = mlflow.pyfunc.load_model(uri).predict(example)
    np.testing.assert_allclose(served, expected, rtol=1e-6)
    folder = mlflow.artifacts.download_artifacts(uri)
    assert (Path(folder) / "input_example.json").exists()
    plain = keras.saving.load_model(Path(folder) / "data" / "model.keras")
    np.testing.assert_allclose(plain.predict(example, verbose=0), expected, rtol=1e-6)
    inputs = client.get_run(outcome.run_id).inputs.dataset_inputs
    assert {one.dataset.digest for one in inputs} == {only_run().data_digest}


def test_a_finished_run_is_not_trained_again(execute, planned: list[PlannedRun]) -> None:
    first, _ = execute(planned[0])
    again, listener = execute(planned[0])
    assert again.was_finished
    assert again.run_id == first.run_id
    assert listener.num_calls == 0
    anew, _ = execute(planned[0], fresh=True)
    assert anew.run_id != first.run_id
    assert {run.final_weights for run in read_runs("tiny in lab")} == {
        only(read_runs("tiny in lab")).final_weights
    }


def only(runs: list[RunRecord]) -> RunRecord:
    return runs[0]


def test_an_interrupted_retraining_continues_instead_of_the_earlier_result(
    execute, planned: list[PlannedRun]
) -> None:
    first, _ = execute(planned[0])
    with pytest.raises(Interrupted):
        execute(planned[0], fresh=True, stop_after=1)
    retrained, listener = execute(planned[0])
    assert retrained.run_id != first.run_id
    assert not retrained.was_finished
    assert listener.num_calls == 1, "one of three epochs was left"
    again, _ = execute(planned[0])
    assert (again.run_id, again.was_finished) == (retrained.run_id, True)
    assert workspaces() == []


def test_an_interrupted_retraining_that_cannot_continue_is_dropped_with_a_reason(
    execute, planned: list[PlannedRun]
) -> None:
    first, _ = execute(planned[0])
    with pytest.raises(Interrupted):
        execute(planned[0], fresh=True, stop_after=1)
    (workspace,) = workspaces()
    path = workspace.path / "run.json"
    content = json.loads(path.read_text())
    content["identity"]["arithmetic"] = {"instruction set": "MMX"}
    path.write_text(json.dumps(content))
    again, listener = execute(planned[0])
    assert (again.run_id, again.was_finished) == (first.run_id, True)
    (note,) = listener.notes
    assert f"Dropped its interrupted run {content['run_id'][:8]}, which cannot continue here: " in note
    assert "instruction set MMX -> " in note
    assert workspaces() == []


def test_twins_are_twins_in_the_store(execute, planned: list[PlannedRun]) -> None:
    for run in planned:
        execute(run)
    baseline, dropout = read_runs("tiny in lab")
    assert baseline.initial_weights == dropout.initial_weights
    assert baseline.batch_order == dropout.batch_order
    assert baseline.final_weights != dropout.final_weights


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_stopped_run_goes_on_to_the_same_result(
    execute, planned: list[PlannedRun], stop_after: int
) -> None:
    execute(planned[1])
    expected = only_run()
    other = planned[1].__class__("again", planned[1].seed, planned[1].settings, planned[1].origin)
    with pytest.raises(Interrupted) as stopped:
        execute(other, stop_after=stop_after)
    assert stopped.value.exit_code == 130
    (killed,) = read_runs("tiny in lab", statuses=[RunStatus.KILLED])
    (workspace,) = choose_workspaces("again-seed0")
    state = workspace.read()
    assert state is not None
    assert state.run_id == killed.run_id
    outcome, _ = execute(other)
    assert outcome.run_id == killed.run_id
    (_, resumed) = read_runs("tiny in lab", histories=EPOCH_METRICS)
    assert resumed.final_weights == expected.final_weights
    assert resumed.history == expected.history
    assert workspaces() == []
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


def evaluated(run: PlannedRun) -> PlannedRun:
    """The same run of a spec that asks for an evaluation."""
    spec = EvaluationSpec(mc_samples=4)
    return replace(run, origin=replace(run.origin, evaluation=spec.model_dump_json()))


def test_an_interrupted_run_is_evaluated_as_its_spec_says_now(execute, lab: Path) -> None:
    (_, run) = plan_runs(load_spec(lab / "tiny.yaml", ["training.epochs=5"]))
    asked = evaluated(run)
    with pytest.raises(Interrupted):
        execute(run, stop_after=1)
    with pytest.raises(Interrupted):
        execute(asked, stop_after=1)
    (workspace,) = workspaces()
    state = workspace.read()
    assert state is not None
    assert state.run == asked, "so that `resume` knows of it"
    execute(asked)
    assert asked.evaluation is not None
    assert missing_parts(asked.evaluation, only_run().evaluated) == []


def test_a_diverged_run_is_failed_and_says_why(
    execute, planned: list[PlannedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Trainer.train

    def diverge(self: Trainer, progress: Progress, on_progress: object) -> Progress:
        kernel = self.model.get_layer("dense_1").kernel
        kernel.assign(kernel * np.inf)
        return train(self, progress, on_progress)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train", diverge)
    with pytest.raises(TrainingError, match="became nan"):
        execute(planned[0])
    assert only_run().status is RunStatus.FAILED
    assert workspaces() == []


def test_a_store_that_is_away_at_the_end_gets_everything_later(
    execute, planned: list[PlannedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = connect("tiny in lab")

    def away(*_arguments: object, **_options: object) -> None:
        raise TrackingUnavailable("The tracking server does not answer.")

    with monkeypatch.context() as outage:
        for name in ("log_epochs", "log_result", "log_model", "end_run"):
            outage.setattr(tracker, name, away)
        outcome, listener = execute(planned[0], tracker=tracker)
    assert not outcome.delivered
    assert len(listener.notes) == 2  # one line when the store goes, one for the result
    assert [one.has_result for one in workspaces()] == [True]
    outcome, listener = execute(evaluated(planned[0]))
    assert outcome.delivered
    assert listener.num_calls == 0
    (note,) = listener.notes
    assert "was finished without this evaluation" in note
    assert "`dropout-lab evaluate 'tiny in lab' --mc-samples 4`" in note
    run = only_run()
    assert run.status is RunStatus.FINISHED
    assert len(run.history["loss"]) == 3
