"""A Ray cluster: its results are those of this process, and a node or a command that ends loses nothing."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.executor import execute_runs
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.workspace import STATE_ROOT, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import read_runs
from dropout_lab.training.devices import num_threads

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_host")]

EPOCHS = "training.epochs=200"
"""So many that no run ends before the other one has started."""


@pytest.fixture
def cluster(ray_host: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes on this host, and its second node; each has room for one run."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # Ray's own, 15, waits for all other processes
    size = {
        "num_cpus": num_threads(),
        "memory": 2 * 2**30,
        "object_store_memory": 100_000_000,
        "include_dashboard": False,
    }
    made = Cluster(initialize_head=True, head_node_args=size)
    try:
        yield made, made.add_node(**size)
    finally:
        made.shutdown()


def by_name(experiment: str) -> dict[str, RunRecord]:
    return {run.run_name: run for run in read_runs(experiment)}


def wait_for_both(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines that a command prints until both runs train."""
    lines, missing = [], {"baseline", "dropout"}
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        missing -= set(re.findall(r"(\w+)-seed0 +epoch", line))
        if not missing:
            return lines
    raise AssertionError("".join(lines))


def test_runs_survive_an_interrupt_and_the_death_of_a_node_with_the_bits_of_this_process(
    lab: Path,
    cluster: tuple[Any, Any],
    command: Callable[..., subprocess.Popen[str]],
    make_listener: Callable[..., Any],
) -> None:
    nodes, second = cluster
    options = ("run", "tiny.yaml", "--set", EPOCHS)
    on_cluster = (*options, "--executor", "ray", "--address", nodes.address)
    threads = {"TF_NUM_INTRAOP_THREADS": str(num_threads())}

    first = command(*on_cluster, **threads)
    assert "Training with Ray on 2 nodes: 2 runs at once" in "".join(wait_for_both(first))
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=600)
    assert first.returncode == 130, err
    assert len(re.findall("seed0 saved at", err)) == 2
    assert len(workspaces()) == 2
    assert not list(STATE_ROOT.glob("ray-*.json"))

    again = command("resume", "--executor", "ray", "--address", nodes.address, **threads)
    lines = wait_for_both(again)
    nodes.remove_node(second, allow_graceful=False)
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert len(re.findall("resuming after epoch", "".join(lines))) == 2
    assert re.search("its task died: .* Continuing it on the cluster", err)
    assert len(re.findall("resuming after epoch", err)) == 1
    assert "raylet" not in out
    assert workspaces() == []

    workers = command(*options, "--workers", "2", "--set", "experiment=workers", **threads)
    runs = plan_runs(load_spec(lab / "tiny.yaml", ["experiment=here", EPOCHS]))
    listener = make_listener()
    execute_runs(runs, listener, listener.stop).raise_problems()
    workers.communicate(timeout=600)
    assert workers.returncode == 0
    here = by_name("here")
    assert len(here) == 2
    for experiment in ("tiny in lab", "workers"):
        there = by_name(experiment)
        assert there.keys() == here.keys()
        for name, run in here.items():
            assert there[name].status is RunStatus.FINISHED
            assert there[name].final_weights == run.final_weights
            assert there[name].metrics["test_loss"] == run.metrics["test_loss"]
            assert there[name].num_threads == run.num_threads


def test_a_node_that_does_not_respond_is_given_up(
    lab: Path,
    cluster: tuple[Any, Any],
    command: Callable[..., subprocess.Popen[str]],
) -> None:
    nodes, second = cluster
    process = command("run", "tiny.yaml", "--set", EPOCHS, "--executor", "ray", "--address", nodes.address)
    wait_for_both(process)
    raylet = psutil.Process(second.all_processes["raylet"][0].process.pid)
    silent = [raylet, *raylet.children(recursive=True)]
    for one in silent:  # as behind a cable that is cut: its connections stay open
        one.suspend()
    assert process.stderr is not None
    for line in process.stderr:
        if re.search("its task died: .* Continuing it on the cluster", line):
            break
    for one in silent:
        one.kill()
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert len(by_name("tiny in lab")) == 2
    assert {run.status for run in by_name("tiny in lab").values()} == {RunStatus.FINISHED}
    assert workspaces() == []


NETWORK = """\
import time
from pathlib import Path

import keras

def build(input_shape, num_classes, is_broken):
    wait, here = Path("wait"), Path("here")
    if is_broken and wait.exists():
        here.touch()
    while wait.exists() and (is_broken or not here.exists()):
        time.sleep(0.1)
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Flatten(),
        *[keras.layers.Rescaling(1e38) for _ in range(2 * is_broken)],
        keras.layers.Dense(8, activation="relu", name="hidden"),
        keras.layers.Dropout(0, name="drop"),
        keras.layers.Dense(num_classes, activation="softmax", name="outputs"),
    ])
"""
"""A network whose weights become infinite, if it is broken; that one is built once the other one trains.

The other one waits until the broken one is about to be built, so that it does not end too early.
"""

FAILING = """\
name: failing
training: {epochs: 600, batch_size: 50}
data: {num_train: 250, num_test: 100}
model: {network: "network.py:build", dropout: 0}
conditions:
  baseline: {model: {arguments: {is_broken: false}}}
  broken: {model: {arguments: {is_broken: true}}}
  later: {model: {dropout: 0.5, arguments: {is_broken: false}}}
"""


def test_fail_fast_stops_the_others_in_order_as_in_workers(
    lab: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    Path("network.py").write_text(NETWORK)
    Path("failing.yaml").write_text(FAILING)
    wait = Path("wait")
    # One thread each, so that both runs have room at once.
    environment = {"TF_NUM_INTRAOP_THREADS": "1", "RAY_worker_niceness": "0"}
    errors = []
    for options in (("--set", "experiment=workers"), ("--executor", "ray", "--address", "local")):
        Path("here").unlink(missing_ok=True)
        arguments = ("run", "failing.yaml", "--workers", "2", "--fail-fast", *options)
        process = command(*arguments, **environment)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Training with"):
                wait.touch()
            if re.search("baseline-seed0 +epoch", line):
                break
        wait.unlink()
        _, err = process.communicate(timeout=600)
        assert process.returncode == 1, err
        errors.append(err[err.index("Error: ") :])
    assert errors[0] == errors[1]
    assert "1 of 3 runs failed:\nbroken-seed0: " in errors[0]
    assert "Stopped with their state saved: baseline-seed0\nNot started: later-seed0\n" in errors[0]
    assert len(workspaces()) == 2

    resumed = command("resume", **environment)
    _, err = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, err
    there, here = by_name("failing")["baseline-seed0"], by_name("workers")["baseline-seed0"]
    assert there.status is here.status is RunStatus.FINISHED
    assert there.final_weights == here.final_weights


def test_a_second_signal_ends_the_command_and_its_cluster(
    lab: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    process = command("run", "tiny.yaml", "--set", EPOCHS, "--executor", "ray", "--address", "local")
    assert process.stderr is not None
    for line in process.stderr:
        if " epoch " in line:
            break
    cluster = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)  # equal signals that come at once are one
    process.send_signal(signal.SIGTERM)
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode != 0
    assert "Traceback" not in err
    assert "Logging error" not in err
    assert not psutil.wait_procs(cluster, timeout=30)[1]
