"""Worker processes: what is told to which one, and what becomes of a run whose worker dies."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from dropout_lab.errors import Interrupted
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs import worker_plan
from dropout_lab.runs import workers as workers_module
from dropout_lab.runs.executor import execute_runs
from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import PruningReporter
from dropout_lab.runs.tasks import Task
from dropout_lab.runs.worker_plan import WorkerPlan
from dropout_lab.runs.workers import WorkerPool, execute_design_in_workers
from dropout_lab.runs.workspace import State, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import connect, read_runs
from dropout_lab.training.devices import num_threads

FINISHED = {
    "event": "finished",
    "outcome": {
        "run_id": "r",
        "metrics": {"test_accuracy": 0.5},
        "address": "",
        "was_finished": False,
        "delivered": True,
    },
}
FAILED = {"event": "failed", "failure": {"name": "x", "message": "diverged", "hint": "", "exit_code": 1}}
STARTED = {"event": "started", "run_id": "r", "trained_by": "a machine", "step_in_epoch": 0, "epochs": []}
DIES = None


class Stage:
    """Plays the worker processes: each run has a script of messages; those without one finish.

    A script that ends without an end of the run goes on when the worker is told to stop.
    """

    def __init__(self) -> None:
        self.scripts: dict[str, Sequence[Any]] = {}
        self.processes: list[Actor] = []

    def start(
        self, module: str, environment: Mapping[str, str], threads: int, receive: Callable[..., None]
    ) -> "Actor":
        self.processes.append(Actor(self, threads, receive))
        return self.processes[-1]


class Actor:
    """Plays one worker process."""

    def __init__(self, stage: Stage, threads: int, receive: Callable[..., None]) -> None:
        self.stage, self.threads, self.receive = stage, threads, receive
        self.is_ready = False
        self.runs: list[str] = []
        self.told: list[Any] = []
        self.was_ended = self.was_killed = False

    def tell(self, message: Any) -> None:
        self.told.append(message)
        if "stop" in message:
            self.receive(self, {"event": "interrupted", "message": f"{self.runs[-1]} saved."})
            self.receive(self, None)
            return
        if "prune" in message:
            self.receive(self, {**FINISHED, "outcome": {**FINISHED["outcome"], "pruned": "pruned"}})
            return
        run = Task.from_json(message["task"]).run
        self.runs.append(run.name)
        if not self.is_ready:
            self.receive(self, {"event": "ready"})
        for one in self.stage.scripts.get(run.name, [STARTED, FINISHED]):
            self.receive(self, one)

    def dismiss(self) -> None:
        pass

    def end(self) -> None:
        self.was_ended = True

    def kill(self) -> None:
        self.was_killed = True

    def failure(self, name: str) -> Failure:
        return Failure(name, "its worker process was killed")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()
    monkeypatch.setattr(worker_plan, "WorkerProcess", stage.start)
    monkeypatch.setattr(workers_module, "POLL_SECONDS", 0.01)
    monkeypatch.chdir(tmp_path)
    return stage


@pytest.fixture
def runs(tmp_path: Path) -> list[PlannedRun]:
    """a-seed0, b-seed0, a-seed1, ... b-seed2."""
    (tmp_path / "s.yaml").write_text("name: s\nseeds: 3\nconditions: {a: {}, b: {model: {dropout: 0.5}}}\n")
    return plan_runs(load_spec(tmp_path / "s.yaml"))


@pytest.fixture
def execute(make_listener: Callable[..., Any]) -> Callable[..., Report]:
    def execute(
        runs: Sequence[PlannedRun], count: int = 2, stop_after: int | None = None, **options: Any
    ) -> Report:
        listener = make_listener()
        started: list[str] = []

        def note_start(run: PlannedRun, *_others: object) -> None:
            started.append(run.name)
            if len(started) == stop_after:
                listener.stop.signal_number = signal.SIGINT

        listener.started = note_start
        if stop_after == 0:
            listener.stop.signal_number = signal.SIGINT
        with WorkerPool(WorkerPlan(count, 1), listener, listener.stop, Provenance(), **options) as pool:
            return pool.execute(runs)

    return execute


def names(report: Report) -> list[str]:
    return [outcome.run.name for outcome in report.outcomes]


def test_a_worker_trains_one_run_after_the_other(stage: Stage, runs: list[PlannedRun], execute) -> None:
    report = execute(runs)
    assert names(report) == [run.name for run in runs]
    assert len(stage.processes) == 2
    assert sorted(name for one in stage.processes for name in one.runs) == sorted(run.name for run in runs)
    assert all(one.was_ended and not one.was_killed for one in stage.processes)
    report.raise_problems()


def test_no_more_workers_are_started_than_there_are_runs(
    stage: Stage, runs: list[PlannedRun], execute
) -> None:
    assert names(execute(runs[:2], count=8)) == ["a-seed0", "b-seed0"]
    assert len(stage.processes) == 2


def test_a_worker_that_dies_fails_its_run_alone(stage: Stage, runs: list[PlannedRun], execute) -> None:
    stage.scripts["b-seed0"] = [STARTED, DIES]
    report = execute(runs)
    assert [(one.name, one.message) for one in report.failures] == [
        ("b-seed0", "its worker process was killed")
    ]
    assert names(report) == [run.name for run in runs if run.name != "b-seed0"]
    assert len(stage.processes) == 3, "another one takes its place"


def test_a_failure_lets_the_others_finish(stage: Stage, runs: list[PlannedRun], execute) -> None:
    stage.scripts["a-seed0"] = [STARTED, FAILED]
    report = execute(runs)
    assert len(report.failures) == 1
    assert len(report.outcomes) == 5
    assert len(stage.processes) == 2


def test_fail_fast_stops_what_runs_and_starts_nothing_more(
    stage: Stage, runs: list[PlannedRun], execute
) -> None:
    stage.scripts |= {"a-seed0": [STARTED], "b-seed0": [STARTED, FAILED]}
    report = execute(runs, fail_fast=True)
    assert len(report.failures) == 1
    assert report.stopped == ["a-seed0"]
    assert report.not_started == ["a-seed1", "b-seed1", "a-seed2", "b-seed2"]
    assert report.interrupted is None
    with pytest.raises(
        Exception, match="1 of 6 runs failed:\nx: diverged\nStopped with their state saved: a-"
    ):
        report.raise_problems()


def test_a_store_that_is_away_lets_running_runs_finish(stage: Stage, runs: list[PlannedRun], execute) -> None:
    away = {"event": "failed", "failure": {"name": "a-seed0", "message": "away", "stops_others": True}}
    stage.scripts["a-seed0"] = [away]
    report = execute(runs)
    assert names(report) == ["b-seed0"]
    assert report.not_started == ["a-seed1", "b-seed1", "a-seed2", "b-seed2"]


def test_a_request_to_stop_saves_every_run(stage: Stage, runs: list[PlannedRun], execute) -> None:
    stage.scripts |= {"b-seed0": [STARTED], "a-seed1": [STARTED]}
    report = execute(runs, stop_after=3)
    assert names(report) == ["a-seed0"]
    assert report.interrupted is not None
    assert sorted(report.interrupted.message.splitlines()) == ["a-seed1 saved.", "b-seed0 saved."]
    assert report.not_started == ["b-seed1", "a-seed2", "b-seed2"]
    with pytest.raises(Interrupted) as stopped:
        report.raise_problems()
    assert stopped.value.exit_code == 130


def test_a_stop_while_the_last_runs_end_is_not_lost(stage: Stage, runs: list[PlannedRun], execute) -> None:
    report = execute(runs[:2], stop_after=2)
    assert names(report) == ["a-seed0", "b-seed0"]
    assert report.ended_early, "the caller may have more runs"
    with pytest.raises(Interrupted, match="stopped after the runs in progress") as stopped:
        report.raise_problems()
    assert stopped.value.exit_code == 130


def test_a_stop_after_a_failure_that_stops_others_reaches_the_running_runs(
    stage: Stage, runs: list[PlannedRun], execute
) -> None:
    away = {"event": "failed", "failure": {"name": "a-seed0", "message": "away", "stops_others": True}}
    stage.scripts["a-seed0"] = [away]
    report = execute(runs, stop_after=1)
    assert {"stop": signal.SIGINT} in stage.processes[1].told
    with pytest.raises(Interrupted) as stopped:
        report.raise_problems()
    assert stopped.value.message == "stopped before a-seed1.\na-seed0: away"


def test_a_stop_before_the_first_run_starts_no_process(stage: Stage, runs: list[PlannedRun], execute) -> None:
    report = execute(runs, stop_after=0)
    assert report.not_started == [run.name for run in runs]
    assert report.interrupted is not None
    assert report.interrupted.message == "stopped before a-seed0."
    assert stage.processes == []


def test_a_second_interrupt_acts_at_once(
    stage: Stage, runs: list[PlannedRun], make_listener: Callable[..., Any]
) -> None:
    stage.scripts |= {"a-seed0": [STARTED], "b-seed0": [STARTED]}
    listener = make_listener()

    def interrupt(*_progress: object) -> None:
        raise KeyboardInterrupt

    listener.started = interrupt
    with WorkerPool(WorkerPlan(2, 1), listener, listener.stop, Provenance()) as pool:
        report = pool.execute(runs)
    assert report.interrupted is not None
    assert report.interrupted.message == "a-seed0, b-seed0 stopped."
    assert report.interrupted.exit_code == 130
    assert all(one.was_killed for one in stage.processes)


def test_a_worker_that_is_stopped_by_itself_fails_its_run(
    stage: Stage, runs: list[PlannedRun], execute
) -> None:
    stage.scripts["a-seed0"] = [STARTED, {"event": "interrupted", "message": "a-seed0 saved."}, DIES]
    report = execute(runs)
    (failure,) = report.failures
    assert failure.message == "its worker was asked to stop: a-seed0 saved."
    assert "dropout-lab resume" in failure.hint
    assert len(report.outcomes) == 5


def test_a_run_continues_with_the_threads_that_it_was_started_with(
    stage: Stage, runs: list[PlannedRun], execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tasks(runs: Sequence[PlannedRun], *, fresh: bool) -> list[Task]:
        return [Task(run, threads=4 if run.name == "a-seed1" else 0, fresh=fresh) for run in runs]

    monkeypatch.setattr(workers_module, "training_tasks", tasks)
    execute(runs, count=1)
    assert [(one.threads, one.runs) for one in stage.processes] == [
        (1, ["a-seed0", "b-seed0"]),
        (4, ["a-seed1"]),
        (1, ["b-seed1", "a-seed2", "b-seed2"]),
    ]
    assert all(one.was_ended for one in stage.processes)


def test_a_run_that_the_reporter_ends_as_pruned_is_ended_in_its_worker(
    stage: Stage, runs: list[PlannedRun], make_listener: Callable[..., Any]
) -> None:
    stage.scripts |= {"a-seed0": [STARTED], "b-seed0": [STARTED]}
    listener = make_listener()
    reporter = PruningReporter(listener, lambda run, _: run.name == "b-seed0")
    followed: list[tuple[str, str]] = []

    def follow(run: PlannedRun, end: RunOutcome | Failure) -> Sequence[PlannedRun]:
        assert isinstance(end, RunOutcome)
        followed.append((run.name, end.pruned))
        if end.pruned:  # the other one is still in training
            stage.processes[0].receive(stage.processes[0], FINISHED)
            return runs[2:3]
        return ()

    with WorkerPool(WorkerPlan(2, 1), reporter, listener.stop, Provenance()) as pool:
        report = pool.execute(runs[:2], follow)
    assert stage.processes[1].told[1] == {"prune": "b-seed0"}
    assert followed == [("b-seed0", "pruned"), ("a-seed0", ""), ("a-seed1", "")]
    assert names(report) == ["a-seed0", "b-seed0", "a-seed1"], "in the order in which they were given"


def test_nothing_follows_once_a_stop_is_requested(
    stage: Stage, runs: list[PlannedRun], make_listener: Callable[..., Any]
) -> None:
    stage.scripts["a-seed0"] = [{"event": "failed", "failure": {"name": "a-seed0", "message": "no"}}]
    listener = make_listener()
    options = {"fail_fast": True}
    with WorkerPool(WorkerPlan(1, 1), listener, listener.stop, Provenance(), **options) as pool:
        report = pool.execute(runs[:1], lambda *_: runs[1:2])
    assert report.ended_early
    assert report.not_started == []
    assert stage.processes[0].runs == ["a-seed0"]


def test_the_command_itself_starts_neither_tensorflow_nor_ray() -> None:
    code = (
        "import sys, dropout_lab.runs.workers, dropout_lab.runs.resuming, dropout_lab.runs.ray_plan\n"
        "print([name for name in ('tensorflow', 'keras', 'ray') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def by_name(experiment: str) -> dict[str, RunRecord]:
    return {run.run_name: run for run in read_runs(experiment, histories=("loss", "val_loss"))}


def test_a_worker_gives_the_bits_of_this_process(
    lab: Path, make_listener: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (
        plan_runs(load_spec(lab / "tiny.yaml", [f"experiment={name}", "training.epochs=2"]))
        for name in ("here", "there")
    )
    listener = make_listener()
    execute_runs(here, listener, listener.stop).raise_problems()
    trackers = {"there": connect("there")}
    report = execute_design_in_workers(
        there, listener, listener.stop, WorkerPlan(1, num_threads()), trackers=trackers
    )
    report.raise_problems()
    assert listener.notes == [f"Training with {WorkerPlan(1, num_threads())}."]
    assert listener.num_calls == 2 * 2 * len(here)
    assert listener.phases == ["preparing", "evaluating", "logging results", "logging model"] * 2 * len(here)
    expected, found = by_name("here"), by_name("there")
    assert found.keys() == expected.keys() == {outcome.run.name for outcome in report.outcomes}
    for name, run in expected.items():
        assert found[name].status is RunStatus.FINISHED
        assert found[name].final_weights == run.final_weights
        assert found[name].history == run.history
        assert found[name].num_threads == run.num_threads


def states() -> list[State]:
    return [state for workspace in workspaces() if (state := workspace.read())]


def wait_for_both(process: subprocess.Popen[str]) -> None:
    """Wait until both runs train."""
    missing = {"baseline", "dropout"}
    assert process.stderr is not None
    for line in process.stderr:
        missing -= set(re.findall(r"(\w+)-seed0 +epoch", line))
        if not missing:
            return
    pytest.fail(f"it ended before {missing} trained")


SEVERAL_EPOCHS = ("--set", "training.epochs=400", "--workers", "2")
"""So many that neither run ends before the other has begun."""


@pytest.mark.slow
def test_a_killed_worker_takes_its_run_alone_and_that_continues(
    lab: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    process = command("run", "tiny.yaml", *SEVERAL_EPOCHS)
    wait_for_both(process)
    psutil.Process(process.pid).children()[0].kill()
    _, err = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "1 of 2 runs failed:" in err
    assert "its worker process was killed, as the system does when memory runs out" in err
    assert sorted(run.status.value for run in by_name("tiny in lab").values()) == ["FINISHED", "INTERRUPTED"]
    again = command("run", "tiny.yaml", *SEVERAL_EPOCHS)
    _, err = again.communicate(timeout=600)
    assert again.returncode == 0
    assert re.search("resuming after epoch [0-9]+", err)
    assert {run.status for run in by_name("tiny in lab").values()} == {RunStatus.FINISHED}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "options"), [(signal.SIGINT, 130, ["--workers", "2"]), (signal.SIGKILL, -9, [])]
)
def test_a_signal_leaves_runs_that_resume_finishes(
    lab: Path,
    command: Callable[..., subprocess.Popen[str]],
    number: signal.Signals,
    code: int,
    options: list[str],
) -> None:
    process = command("run", "tiny.yaml", *SEVERAL_EPOCHS)
    wait_for_both(process)
    children = psutil.Process(process.pid).children()
    process.send_signal(number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == code
    psutil.wait_procs(children, timeout=60)
    assert not any(child.is_running() for child in children)
    assert (len(re.findall(r"seed0 saved at", err)) == 2) is (number == signal.SIGINT)
    assert {run.status for run in by_name("tiny in lab").values()} == {RunStatus.KILLED}
    threads = {str(state.identity.arithmetic["threads"]) for state in states() if state.identity}
    resumed = command("resume", *options)
    _, err = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, err
    assert len(re.findall("resuming after epoch [0-9]+", err)) == 2
    assert ("Training with 2 workers" in err) is bool(options)
    runs = by_name("tiny in lab").values()
    assert {run.status for run in runs} == {RunStatus.FINISHED}
    assert {run.num_threads for run in runs} == threads
    assert len(threads) == 1
