"""Where runs are trained: what is refused before anything starts."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.leases import host_id
from dropout_lab.runs import ray_cluster
from dropout_lab.runs.executors import chosen_workers
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.ray_cluster import ClusterError, Node, check_address
from dropout_lab.runs.ray_orders import Orders
from dropout_lab.runs.ray_plan import RayPlan, planned_on_cluster
from dropout_lab.runs.ray_task import Surroundings, train
from dropout_lab.runs.ray_worker import RayWorker
from dropout_lab.runs.tasks import Task
from dropout_lab.runs.worker_plan import THREADS, WORKER_BYTES, WorkerPlan
from dropout_lab.spec import load_spec

SMALL = Node("10.0.0.1", cpus=2, gpus=0, memory=4 * WORKER_BYTES)
LARGE = Node("10.0.0.1", cpus=8, gpus=1, memory=4 * WORKER_BYTES)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RAY_ADDRESS", THREADS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(folder: Path) -> list[PlannedRun]:
    (folder / "s.yaml").write_text("name: s\nseeds: 3\ndevice: cpu\n")
    return plan_runs(load_spec(folder / "s.yaml"))


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, runs: list[PlannedRun]) -> Callable[..., str]:
    """Plan runs on the nodes of a cluster that is not there."""

    def plan(*nodes: Node, requested: str | None = None) -> str:
        @contextmanager
        def connected(_: object) -> Iterator[list[Node]]:
            yield list(nodes)

        monkeypatch.setattr("dropout_lab.runs.ray_plan.connected", connected)
        with planned_on_cluster(None, requested, runs, lambda _: nullcontext()) as found:
            assert found.orders.path.exists()
        assert not found.orders.path.exists()
        return str(found)

    return plan


def refusal(executor: str, address: str | None = None) -> UsageError | ClusterError:
    with (
        pytest.raises((UsageError, ClusterError)) as refused,
        chosen_workers(executor, None, address, [], lambda _: nullcontext()),
    ):
        pass
    assert refused.value.exit_code == 2
    return refused.value


def test_the_default_is_this_process_and_workers_are_processes(runs: list[PlannedRun]) -> None:
    with chosen_workers("local", None, None, runs, lambda _: nullcontext()) as none:
        assert none is None
    with chosen_workers("local", "2", None, runs, lambda _: nullcontext()) as two:
        assert isinstance(two, WorkerPlan)


def test_arguments_that_fit_no_executor_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "unknown value 'rai' (did you mean 'ray'?) (allowed: local, ray)" in str(refusal("rai"))
    assert "only allowed with the executor ray" in str(refusal("local", "head:6379"))
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "pip install 'dropout_lab[ray]'" in str(refusal("ray"))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("head", "address: invalid value: 'head' (allowed: HOST:PORT, auto or local)"),
        ("ray://head:10001", "is an address of Ray Client"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, problem: str) -> None:
    assert problem in str(refusal("ray", address))


def test_an_address_where_nothing_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        check_address(address)
    monkeypatch.setenv("RAY_ADDRESS", address)
    error = refusal("ray")
    assert f"RAY_ADDRESS: no Ray cluster at {address}" in str(error)
    assert "ray start --head" in str(error)


def test_a_cluster_that_refuses_the_token_says_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    seen: list[str | None] = []

    def init(*_: object, **__: object) -> None:
        seen.append(os.environ.get("RAY_USAGE_STATS_ENABLED"))
        raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")

    monkeypatch.setattr(ray, "init", init)
    text = str(refusal("ray", "local"))
    assert "Failed to connect to Ray cluster" in text
    assert "~/.ray/auth_token" in text
    assert "ray get-auth-token --generate" in text
    assert "RAY_AUTH_MODE=token" in text
    assert seen == ["0"]


@pytest.mark.parametrize(
    ("nodes", "requested", "words"),
    [
        ((SMALL,), None, "1 node: 2 runs at once, 1 thread each"),
        ((SMALL, SMALL), None, "2 nodes: 3 runs at once, 1 thread each"),
        ((SMALL, SMALL), "2", "2 nodes: 2 runs at once, 2 threads each"),
        ((LARGE,), None, "1 node: 3 runs at once, 2 threads each"),
        ((LARGE, LARGE), "1", "2 nodes: 1 run at once, 8 threads each"),
        ((SMALL,), "9", "1 node: 9 runs at once, 1 thread each"),
    ],
)
def test_threads_are_divided_among_the_runs(
    plan: Callable[..., str], nodes: tuple[Node, ...], requested: str | None, words: str
) -> None:
    assert plan(*nodes, requested=requested) == f"Ray on {words}"


def test_a_gpu_goes_to_each_run_that_may_use_one(plan: Callable[..., str], runs: list[PlannedRun]) -> None:
    runs[:] = [replace(run, settings=run.settings.model_copy(update={"device": "auto"})) for run in runs]
    assert plan(LARGE, LARGE) == "Ray on 2 nodes: 2 runs at once, 8 threads and 1 GPU each"


def test_runs_on_all_gpus_get_those_of_a_node(plan: Callable[..., str], runs: list[PlannedRun]) -> None:
    runs[:] = [replace(run, settings=run.settings.model_copy(update={"device": "gpus"})) for run in runs]
    two, one = replace(LARGE, gpus=2), LARGE
    assert plan(two, one) == "Ray on 2 nodes: 1 run at once, 8 threads and 2 GPUs each"


@pytest.mark.parametrize(("gpus", "threads", "cpus"), [(1, 16, 8), (1, 4, 4), (0, 16, 16), (0, 99, 64)])
def test_a_task_asks_for_no_more_cpus_than_a_node_with_the_rest_has(
    monkeypatch: pytest.MonkeyPatch, gpus: int, threads: int, cpus: int
) -> None:
    without_gpu = replace(SMALL, cpus=64)
    without_memory = replace(LARGE, cpus=128, memory=WORKER_BYTES / 2)
    monkeypatch.setattr("dropout_lab.runs.ray_plan.RayWorker", lambda *arguments: arguments)
    plan = RayPlan(1, threads, gpus, (without_gpu, without_memory, LARGE), Orders.create())
    arguments: Any = plan.start(0, threads, print)
    assert arguments[2] == {"num_cpus": cpus, "num_gpus": gpus, "memory": WORKER_BYTES}


def test_a_cluster_without_room_is_refused(plan: Callable[..., str]) -> None:
    with pytest.raises(ClusterError, match="No node of the Ray cluster has room for a run: 1 CPU and"):
        plan(replace(SMALL, memory=WORKER_BYTES / 2))


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("", "mlflow.db is a SQLite file, which several hosts must not write (10.0.0.1, 10.0.0.2)"),
        ("http://127.0.0.1:5000", "is reached from this host only"),
    ],
)
def test_a_store_that_other_hosts_do_not_reach_is_refused(
    plan: Callable[..., str], monkeypatch: pytest.MonkeyPatch, uri: str, problem: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert plan(SMALL, SMALL), "several nodes on one host are fine"
    with pytest.raises(ClusterError) as refused:
        plan(SMALL, replace(SMALL, host="10.0.0.2"))
    assert problem in str(refused.value)
    assert "MLFLOW_TRACKING_URI" in str(refused.value)
    assert not Path("mlflow.db").exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"folder": "missing"}, "missing on "),
        ({"orders": "missing/orders.json"}, "is not the folder of the command that started this run"),
        ({"only_host": f"not {host_id()}"}, "cannot use the SQLite file of another host"),
    ],
)
def test_a_task_in_other_surroundings_trains_nothing(
    folder: Path, runs: list[PlannedRun], change: dict[str, str], problem: str
) -> None:
    given = Surroundings(str(folder), str(Orders.create().path), {}, host_id())
    job = {"task": Task(runs[0]).to_json(), "provenance": vars(Provenance())}
    (message,) = train(replace(given, **change), job)
    assert message["event"] == "failed"
    assert problem in message["failure"]["message"]


def test_orders_reach_all_that_read_them() -> None:
    orders = Orders.create()
    assert "stop" not in Orders(orders.path).read()
    for order in ({"prune": "a-seed0"}, {"stop": 2}, {"prune": "b-seed0"}):
        orders.tell(order)
    assert Orders(orders.path).read() == {"stop": 2, "prune": ["a-seed0", "b-seed0"]}
    orders.remove()
    with pytest.raises(FileNotFoundError):
        Orders(orders.path).read()


def test_the_private_name_that_keeps_ray_quiet_exists() -> None:
    ray = pytest.importorskip("ray")
    assert isinstance(vars(ray._private.worker)["_worker_logs_enabled"], bool)
    ray_cluster._silence(Any)  # another version may not have it


@pytest.mark.parametrize(
    ("node", "is_lost"), [("first", False), ("second", True), ("gone", True), ("", False)]
)
def test_a_node_that_the_cluster_gave_up_is_lost(node: str, is_lost: bool) -> None:
    ray = pytest.importorskip("ray")
    listed = [{"NodeID": "first", "Alive": True}, {"NodeID": "second", "Alive": False}]
    worker = object.__new__(RayWorker)
    worker._ray = SimpleNamespace(nodes=lambda: listed, exceptions=ray.exceptions)
    with pytest.raises(ray.exceptions.NodeDiedError) if is_lost else nullcontext():
        worker._require_alive(node)


def test_nothing_is_received_from_a_worker_that_was_killed() -> None:
    ray = pytest.importorskip("ray")
    cancelled = threading.Event()

    def listen() -> None:
        cancelled.wait()
        time.sleep(0.2)  # Ray takes a moment to tell the listener

    worker = object.__new__(RayWorker)
    worker._ray = SimpleNamespace(cancel=lambda *_, **__: cancelled.set(), exceptions=ray.exceptions)
    worker._task = object()
    worker._listener = threading.Thread(target=listen, daemon=True)
    worker._listener.start()
    worker.kill()
    assert not worker._listener.is_alive()


STARTED = {"event": "started"}
FINISHED = {"event": "finished"}


@pytest.mark.parametrize(
    ("messages", "fresh"),
    [([[STARTED], [STARTED, FINISHED]], [True, False]), ([[], [STARTED], [FINISHED]], [True, True, False])],
)
def test_a_retraining_that_has_started_is_continued_when_its_process_died(
    folder: Path, runs: list[PlannedRun], messages: list[list[dict[str, str]]], fresh: list[bool]
) -> None:
    ray = pytest.importorskip("ray")
    attempts, seen = iter(messages), []

    def start(_: object, job: dict[str, Any], **__: object) -> Iterator[Any]:
        seen.append(Task.from_json(job["task"]).fresh)
        yield from next(attempts)
        yield ray.exceptions.WorkerCrashedError()

    def get(message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        return message

    worker = RayWorker(Surroundings(str(folder), "", {}), Orders.create(), {}, 1, lambda *_: None)
    worker._train = SimpleNamespace(remote=start)
    worker._ray = SimpleNamespace(wait=lambda tasks, timeout: (tasks, []), get=get, exceptions=ray.exceptions)
    worker.tell({"task": Task(runs[0], fresh=True).to_json(), "provenance": {}})
    worker.end()
    assert seen == fresh
