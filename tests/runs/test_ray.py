"""A Ray cluster: its results are those of this process, and a node or a command that ends loses nothing."""

import re
import signal
import subprocess
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

pytestmark = pytest.mark.slow

EPOCHS = "training.epochs=200"
"""So many that no run ends before the other one has started."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes on this host, and its second node; each has room for one run."""
    pytest.importorskip("ray")
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
