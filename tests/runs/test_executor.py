"""Many runs: what one of them meets stays with that one, and what is unfinished ends or is named."""

import dataclasses
import json
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from dropout_lab.errors import (
    DropoutLabError,
    Interrupted,
    OutOfMemoryError,
    TrackingError,
    TrackingUnavailable,
)
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs import continuing, executor, identity
from dropout_lab.runs.choosing import choose_workspaces
from dropout_lab.runs.discarding import discard
from dropout_lab.runs.executor import execute_runs, resume_runs
from dropout_lab.runs.jobs import work as execute_jobs
from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.workspace import STATE_ROOT, Workspace, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import Tracker, read_runs
from dropout_lab.training.devices import num_threads
from dropout_lab.training.trainer import Trainer

EXPERIMENT = "tiny in lab"


@pytest.fixture
def runs(lab: Path) -> list[PlannedRun]:
    """Four short runs: two conditions, two seeds."""
    return plan_runs(load_spec(lab / "tiny.yaml", ["seeds=2", "training.epochs=3"]))


class Work:
    """Calls of the executor, and what the last one noted."""

    def __init__(self, make_listener) -> None:  # type: ignore[no-untyped-def]
        self._make_listener = make_listener
        self.listener = make_listener()

    def execute(self, *runs: PlannedRun, stop_after: int = 0, fresh: bool = False) -> Report:
        self.listener = self._make_listener(stop_after)
        return execute_runs(runs, self.listener, self.listener.stop, fresh=fresh)

    def interrupt(self, run: PlannedRun) -> Workspace:
        """Train a run to its first checkpoint, and return its workspace."""
        assert self.execute(run, stop_after=1).interrupted
        (workspace,) = choose_workspaces(run.name)
        return workspace

    def train_without_store(self, run: PlannedRun, monkeypatch: pytest.MonkeyPatch) -> Workspace:
        """Train a run whose result the store does not take, and return its workspace."""

        def away(*_arguments: object, **_options: object) -> None:
            raise TrackingUnavailable("The tracking server does not answer.")

        with monkeypatch.context() as outage:
            for name in ("log_epochs", "log_result"):
                outage.setattr(Tracker, name, away)
            (outcome,) = self.execute(run).outcomes
        assert not outcome.delivered
        (workspace,) = choose_workspaces(run.name)
        return workspace

    def resume(self, *found: Workspace) -> Report:
        self.listener = self._make_listener()
        return resume_runs(found or workspaces(), self.listener, self.listener.stop)

    @property
    def notes(self) -> str:
        return "\n".join(self.listener.notes)


@pytest.fixture
def work(make_listener) -> Work:  # type: ignore[no-untyped-def]
    return Work(make_listener)


def edit(workspace: Workspace, **values: object) -> None:
    """Change the identity that a workspace was started with."""
    path = workspace.path / "run.json"
    state = json.loads(path.read_text())
    state["identity"] |= values
    path.write_text(json.dumps(state))


def run_id(workspace: Workspace) -> str:
    state = workspace.read()
    assert state is not None
    return state.run_id


def records() -> dict[str, RunRecord]:
    return {run.run_name: run for run in read_runs(EXPERIMENT, histories=("loss",))}


ERRORS = [
    MemoryError(),
    OutOfMemoryError("The memory of the device does not suffice."),
    ValueError("a bug"),
    OSError(28, "No space left on device"),
    TrackingError("The run must be in the 'active' state."),
]


def test_a_failure_stays_with_its_run(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Trainer.train
    errors = iter([None, *ERRORS[:2], None])

    def fail(self: Trainer, *arguments: object) -> object:
        if error := next(errors):
            raise error
        return train(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train", fail)
    report = work.execute(*runs)
    assert [outcome.run.name for outcome in report.outcomes] == [runs[0].name, runs[3].name]
    assert [failure.name for failure in report.failures] == [runs[1].name, runs[2].name]
    assert len(work.listener.ends) == 4
    statuses = {name: run.status for name, run in records().items()}
    assert statuses == {
        runs[0].name: RunStatus.FINISHED,
        runs[1].name: RunStatus.KILLED,
        runs[2].name: RunStatus.KILLED,
        runs[3].name: RunStatus.FINISHED,
    }
    with pytest.raises(DropoutLabError, match="2 of 4 runs failed") as raised:
        report.raise_problems()
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_kind_of_failure_lets_the_next_run_start(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    started = []

    def fail(self: object, run: PlannedRun, *_arguments: object, **_options: object) -> None:
        started.append(run.name)
        raise error

    monkeypatch.setattr("dropout_lab.runs.runner.Runner.execute", fail)
    report = work.execute(*runs)
    assert started == [run.name for run in runs]
    assert len(report.failures) == 4
    assert all(failure.message for failure in report.failures)
    is_bug = isinstance(error, ValueError)
    assert all(("a bug in dropout_lab" in failure.hint) is is_bug for failure in report.failures)


def test_fail_fast_starts_nothing_after_the_first_failure(make_listener) -> None:  # type: ignore[no-untyped-def]
    def fail() -> RunOutcome:
        raise DropoutLabError("The loss is not finite.")

    listener = make_listener()
    report = execute_jobs([("a", fail), ("b", fail)], listener, listener.stop, fail_fast=True)
    assert [failure.name for failure in report.failures] == ["a"]
    assert report.not_started == ["b"]
    with pytest.raises(
        DropoutLabError, match=r"1 of 2 runs failed:\na: The loss is not finite\.\nNot started: b"
    ):
        report.raise_problems()


def test_without_a_store_the_rest_is_not_started(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> None:
        raise TrackingUnavailable("The tracking server does not answer.")

    monkeypatch.setattr(Tracker, "find_finished", away)
    report = work.execute(*runs)
    assert len(report.failures) == 1
    assert report.not_started == [run.name for run in runs[1:]]
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


def test_a_stop_keeps_what_is_done_and_names_what_is_not(runs: list[PlannedRun], work: Work) -> None:
    report = work.execute(*runs, stop_after=4)
    assert len(report.outcomes) == 1
    assert report.not_started == [run.name for run in runs[2:]]
    with pytest.raises(Interrupted, match=r"dropout-seed0 saved at the end of epoch 2\.") as stopped:
        report.raise_problems()
    assert stopped.value.exit_code == 130


def test_plots_that_cannot_be_drawn_cost_nothing_but_the_plots(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr("dropout_lab.plotting.draw_run", fail)
    report = work.execute(runs[0])
    report.raise_problems()
    assert "plots could not be drawn (no fonts)" in work.notes
    (run,) = records().values()
    assert run.status is RunStatus.FINISHED
    paths = [file.path for file in mlflow.MlflowClient().list_artifacts(run.run_id)]
    assert "evaluation.json" in paths
    assert "plots" not in paths


def test_what_cannot_continue_is_named_and_blocks_nothing(runs: list[PlannedRun], work: Work) -> None:
    edited, intact = work.interrupt(runs[0]), work.interrupt(runs[1])
    edited_id = run_id(edited)
    edit(edited, code="0123456789abcdef")
    edited = Workspace(edited.path.rename(STATE_ROOT / ("0" * 32)))  # where an edit would have put it
    report = work.resume()
    assert [outcome.run.name for outcome in report.outcomes] == [runs[1].name]
    (failure,) = report.failures
    reference = run_id(edited)[:8]
    assert f"run {reference} cannot continue: training code 01234567 -> " in failure.message
    assert f"`dropout-lab resume {reference}`" in failure.hint
    assert f"`dropout-lab discard {reference}`" in failure.hint
    with pytest.raises(DropoutLabError) as raised:
        report.raise_problems()
    assert raised.value.exit_code == 2
    assert workspaces() == [edited]
    assert not intact.path.exists()

    work.execute(runs[0]).raise_problems()
    assert (
        f"{runs[0].name} starts again, because run {reference} cannot continue here: training" in work.notes
    )
    assert f"`dropout-lab discard {reference}`" in work.notes

    notes: list[str] = []
    discard(edited, notes.append)
    assert notes == []
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []
    discarded = mlflow.MlflowClient().get_run(edited_id)
    assert discarded.info.status == "KILLED"
    assert discarded.data.tags["dropout_lab.discarded"] == "true"


def test_each_reason_is_named(runs: list[PlannedRun], work: Work) -> None:
    workspace = work.interrupt(runs[0])
    content = (workspace.path / "run.json").read_text()
    for values, reason in (
        ({"versions": {"tensorflow": "1.0", "keras": "1.0", "numpy": "1.0"}}, "numpy 1.0 -> "),
        ({"device": "GPU"}, "device GPU -> CPU"),
        ({"arithmetic": {"instruction set": "MMX"}}, "instruction set MMX -> "),
    ):
        (workspace.path / "run.json").write_text(content)
        edit(workspace, **values)
        (failure,) = work.resume().failures
        assert reason in failure.message
    # With another arithmetic it is the same run, so that `run` meets it too.
    (failure,) = work.execute(runs[0]).failures
    assert reason in failure.message


@pytest.mark.slow
def test_fresh_clears_whatever_stands_for_the_same_run(runs: list[PlannedRun], work: Work) -> None:
    workspace = work.interrupt(runs[0])
    other = work.interrupt(runs[2])
    state = workspace.read()
    assert state is not None
    assert state.identity is not None
    elsewhere = Workspace.of(replace(state.identity, code="edited"), EXPERIMENT, state.store)
    workspace.path.rename(elsewhere.path)
    edit(elsewhere, code="edited")
    report = work.execute(runs[0], fresh=True)
    report.raise_problems()
    assert workspaces() == [other]
    assert [run.status for run in read_runs(EXPERIMENT) if run.run_name == runs[0].name] == [
        RunStatus.KILLED,
        RunStatus.FINISHED,
    ]


@pytest.fixture
def images(subset: Path, lab: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images that DROPOUT_LAB_DATA names; no default folder has any."""
    folder = lab / "images"
    shutil.copytree(subset, folder)
    monkeypatch.setenv("DROPOUT_LAB_DATA", "images")
    monkeypatch.setenv("KERAS_HOME", str(lab / "no cache"))
    monkeypatch.setattr("dropout_lab.data.idx_files.DEBIAN_FOLDER", lab / "no package")
    return folder


def test_a_run_remembers_where_its_images_were(
    images: Path, runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = work.interrupt(runs[0]), work.interrupt(runs[1])
    expected = run_id(first)
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    (outcome,) = work.resume(first).outcomes
    assert outcome.run_id == expected

    images.rename("moved")
    (failure,) = work.resume(second).failures
    assert "its images are missing" in failure.message
    assert str(images) in failure.message
    assert "DROPOUT_LAB_DATA" in failure.hint
    monkeypatch.setenv("DROPOUT_LAB_DATA", "moved")
    work.resume(second).raise_problems()


def test_a_finished_result_is_uploaded_whatever_changed(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = work.train_without_store(runs[0], monkeypatch)
    expected = run_id(workspace)
    versions = {**identity.package_versions(), "numpy": "99.0"}
    monkeypatch.setattr(identity, "package_versions", lambda: versions)
    monkeypatch.setattr(identity, "training_code", lambda: "edited code")
    monkeypatch.setenv("DROPOUT_LAB_DATA", "/nonexistent")
    report = work.resume()
    report.raise_problems()
    assert [outcome.run_id for outcome in report.outcomes] == [expected]
    assert work.listener.num_calls == 0
    (run,) = records().values()
    assert (run.run_id, run.status, len(run.history["loss"])) == (expected, RunStatus.FINISHED, 3)
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


@pytest.mark.parametrize(
    ("damaged", "again"), [("model.keras", "resume"), ("artifacts", "resume"), ("result.json", "run")]
)
def test_a_damaged_result_is_computed_again(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch, damaged: str, again: str
) -> None:
    workspace = work.train_without_store(runs[0], monkeypatch)
    expected, path = run_id(workspace), workspace.result / damaged
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_bytes(path.read_bytes()[:20])
    report = work.resume() if again == "resume" else work.execute(runs[0])
    report.raise_problems()
    assert f"The saved result of {runs[0].name} is incomplete" in work.notes
    (run,) = records().values()
    assert (run.run_id, run.status) == (expected, RunStatus.FINISHED)
    assert run.final_weights


def test_a_damaged_result_is_computed_again_with_the_arithmetic_of_its_checkpoints(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = work.train_without_store(runs[0], monkeypatch)
    used: list[int] = []
    monkeypatch.setattr(executor, "use_threads", used.append)
    executor.use_recorded_threads([workspace])
    assert used == [], "a whole result is only uploaded"
    (workspace.result / "model.keras").write_bytes(b"")
    executor.use_recorded_threads([workspace])
    assert used == [num_threads()]
    edit(workspace, arithmetic={"instruction set": "MMX"})
    (failure,) = work.execute(runs[0]).failures
    assert "instruction set MMX -> " in failure.message
    assert workspace.has_checkpoint


@pytest.mark.parametrize("lost", ["run", "store"])
@pytest.mark.parametrize("is_trained", [False, True])
def test_a_run_that_mlflow_lost_is_logged_again(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch, lost: str, is_trained: bool
) -> None:
    workspace = work.train_without_store(runs[0], monkeypatch) if is_trained else work.interrupt(runs[0])
    before = run_id(workspace)
    if lost == "run":
        mlflow.MlflowClient().delete_run(before)
    else:  # this process keeps a deleted database open
        shutil.copytree(STATE_ROOT, Path("without a store") / STATE_ROOT)
        monkeypatch.chdir("without a store")
    report = work.resume()
    report.raise_problems()
    assert f"The MLflow run {before[:8]} of {runs[0].name} no longer exists in mlflow.db" in work.notes
    (run,) = records().values()
    assert run.run_id != before
    assert (run.status, len(run.history["loss"])) == (RunStatus.FINISHED, 3)
    assert run.spec["training.epochs"] == "3"


def test_another_store_is_named_and_left_alone(
    runs: list[PlannedRun], work: Work, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = work.interrupt(runs[0])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{lab}/other.db")
    (failure,) = work.resume().failures
    assert "it is logged to mlflow.db, but the tracking store is now other.db" in failure.message
    assert "Unset MLFLOW_TRACKING_URI and run `dropout-lab resume" in failure.hint
    assert not Path("other.db").exists()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    Path("mlflow.db").rename("moved.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///moved.db")
    work.resume().raise_problems()  # the store that has the run, under another name
    assert not workspace.path.exists()


@pytest.mark.slow
def test_a_renamed_experiment_is_told(runs: list[PlannedRun], work: Work) -> None:
    work.execute(runs[0]).raise_problems()
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    client.rename_experiment(experiment.experiment_id, "renamed")
    work.execute(runs[0]).raise_problems()
    assert "set `experiment: renamed` in the spec" in work.notes
    renamed = replace(runs[0], origin=replace(runs[0].origin, experiment="renamed"))
    (outcome,) = work.execute(renamed).outcomes
    assert outcome.was_finished
    assert "renamed" not in work.notes


def test_a_run_finished_with_other_arithmetic_counts_and_is_told(
    runs: list[PlannedRun], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.execute(runs[0]).raise_problems()
    work.execute(runs[0]).raise_problems()
    assert work.notes == ""
    mlflow.MlflowClient().set_tag(records()[runs[0].name].run_id, "dropout_lab.onednn", "unknown")
    (outcome,) = work.execute(runs[0]).outcomes
    assert outcome.was_finished
    assert "oneDNN unknown -> " in work.notes
    assert "--fresh" in work.notes


def test_a_damaged_state_is_named_and_can_be_discarded(runs: list[PlannedRun], work: Work) -> None:
    workspace = work.interrupt(runs[0])
    (workspace.path / "run.json").write_text("{")
    (failure,) = work.resume().failures
    assert f"dropout-lab discard {workspace.path.name}" in failure.hint
    discard(workspace, lambda _: None)
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


def test_a_run_that_another_command_finished_meanwhile_is_not_called_damaged(
    runs: list[PlannedRun], work: Work
) -> None:
    workspace = work.interrupt(runs[0])
    work.resume(workspace).raise_problems()
    (failure,) = work.resume(workspace).failures
    assert failure.message == "Another command has finished or discarded this run."
    assert "dropout-lab runs" in failure.hint
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


def test_the_reasons_do_not_depend_on_an_identity(runs: list[PlannedRun], work: Work) -> None:
    workspace = work.interrupt(runs[0])
    state = workspace.read()
    assert state is not None
    assert state.identity is not None
    continuing.require_same(state, state.identity)
    with pytest.raises(continuing.CannotContinueError, match="another version of dropout_lab"):
        continuing.require_same(dataclasses.replace(state, identity=None), state.identity)
