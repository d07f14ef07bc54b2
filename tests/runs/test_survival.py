"""Processes that are killed at random moments, and many at once, on one real store."""

import random
import re
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.workspace import STATE_ROOT
from dropout_lab.tracking import read_runs

Command = Callable[..., subprocess.Popen[str]]
EPOCH_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
RUN = ("run", "tiny.yaml", "--set", "training.epochs=8")


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err
    return out


def by_condition(experiment: str) -> dict[str, RunRecord]:
    """Return the runs of an experiment, each whole and one for each condition."""
    runs = read_runs(experiment, histories=EPOCH_METRICS)
    assert Counter((run.condition, run.seed) for run in runs) == {("baseline", 0): 1, ("dropout", 0): 1}
    for run in runs:
        assert run.status is RunStatus.FINISHED
        assert {len(run.history[name]) for name in EPOCH_METRICS} == {8}
    return {run.condition: run for run in runs}


@pytest.mark.slow
def test_killed_at_random_moments_a_spec_ends_as_if_it_had_not_been(lab: Path, command: Command) -> None:
    began = time.monotonic()
    finish(command(*RUN, "--set", "experiment=whole"))
    took = time.monotonic() - began  # on this machine, under its load: a kill must come before the end
    moments = random.Random(0)
    num_kills = 0
    while num_kills < 6:
        process = command(*RUN, "--set", "experiment=killed")
        try:
            process.wait(timeout=moments.uniform(0.3, 0.7) * took)
        except subprocess.TimeoutExpired:
            process.kill()
            num_kills += 1
        process.communicate()
        if process.returncode == 0:
            break
    finish(command(*RUN, "--set", "experiment=killed"))
    whole, killed = by_condition("whole"), by_condition("killed")
    for condition, run in whole.items():
        assert killed[condition].final_weights == run.final_weights
        assert killed[condition].history["val_loss"] == run.history["val_loss"]
    assert num_kills >= 1
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_leaves_a_run_that_resume_finishes(
    lab: Path, command: Command, number: signal.Signals, code: int
) -> None:
    process = command("run", "tiny.yaml", "--set", "training.epochs=30", "--set", "experiment=stopped")
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(r"epoch 2/", line):
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == code
    assert "dropout-lab resume" in err
    assert "Traceback" not in err
    (run,) = read_runs("stopped")
    assert run.status is RunStatus.KILLED
    assert len(list(STATE_ROOT.glob("*/*.checkpoint"))) == 2
    finish(command("resume", run.run_name))
    (resumed,) = read_runs("stopped", histories=EPOCH_METRICS)
    assert (resumed.run_id, resumed.status) == (run.run_id, RunStatus.FINISHED)
    assert {len(resumed.history[name]) for name in EPOCH_METRICS} == {30}
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
@pytest.mark.parametrize("epoch", [1, 8])
def test_where_no_file_can_grow_that_is_told_and_afterwards_nothing_is_missing(
    lab: Path, command: Command, epoch: int
) -> None:
    finish(command(*RUN, "--set", "experiment=whole"))
    process = command(*RUN, "--set", "experiment=full")
    assert process.stderr is not None
    next(line for line in process.stderr if f"epoch {epoch}/" in line)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, -1))
    _, err = process.communicate(timeout=600)
    assert process.returncode == 1, err
    assert re.search(r"[Ff]ree (some )?(disk )?space|has room|[Mm]ake room", err)
    assert "Traceback" not in err
    finish(command(*RUN, "--set", "experiment=full"))
    whole, full = by_condition("whole"), by_condition("full")
    assert {run.final_weights for run in full.values()} == {run.final_weights for run in whole.values()}


@pytest.mark.slow
def test_eight_processes_share_a_store(lab: Path, command: Command) -> None:
    processes = [
        command("run", "tiny.yaml", "--seeds", f"[{seed}]", "--set", "experiment=shared") for seed in range(8)
    ]
    for process in processes:
        finish(process)
    runs = read_runs("shared", histories=EPOCH_METRICS)
    assert Counter((run.condition, run.seed) for run in runs) == {
        (condition, seed): 1 for condition in ("baseline", "dropout") for seed in range(8)
    }
    assert all(run.status is RunStatus.FINISHED for run in runs)
    assert all(len(run.history["loss"]) == 3 for run in runs)


@pytest.mark.slow
def test_two_processes_never_train_the_same_run(lab: Path, command: Command) -> None:
    first = command("run", "tiny.yaml", "--set", "training.epochs=2000")
    assert first.stderr is not None
    for line in first.stderr:
        if "epoch 1/" in line:
            break
    quick = ("--set", "conditions.dropout.training.epochs=1")
    second = command("run", "tiny.yaml", "--set", "training.epochs=2000", *quick)
    _, err = second.communicate(timeout=600)
    assert second.returncode == 1
    assert f"Process {first.pid} on" in err
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=600)
    statuses = {(run.condition, run.status) for run in read_runs("tiny in lab")}
    assert statuses == {("baseline", RunStatus.KILLED), ("dropout", RunStatus.FINISHED)}
