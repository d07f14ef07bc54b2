"""How many workers there are, and what each may use."""

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.runs import worker_plan
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.worker_plan import WorkerPlan, find_gpus, plan_workers
from dropout_lab.spec import Settings


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with 8 CPUs and no GPU, and no settings of the user's."""
    for name in (worker_plan.THREADS, worker_plan.VISIBLE_GPUS, *worker_plan.OTHER_THREADS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(worker_plan, "available_cpus", lambda: 8)
    monkeypatch.setattr(worker_plan, "WORKER_BYTES", 1)
    monkeypatch.setenv(worker_plan.VISIBLE_GPUS, "")
    return monkeypatch


def runs(count: int, device: str = "auto") -> list[PlannedRun]:
    return [PlannedRun("baseline", seed, Settings(device=device), Origin("e")) for seed in range(count)]


def plan(requested: str, count: int, device: str = "auto") -> WorkerPlan:
    found = plan_workers(requested, runs(count, device))
    assert found is not None
    return found


@pytest.mark.parametrize(("num_runs", "workers", "threads"), [(2, 2, 4), (3, 3, 2), (8, 8, 1), (50, 8, 1)])
def test_auto_takes_a_worker_per_cpu_as_far_as_there_are_runs(
    num_runs: int, workers: int, threads: int
) -> None:
    assert plan("auto", num_runs) == WorkerPlan(workers, threads)


def test_auto_trains_a_single_run_in_this_process() -> None:
    assert plan_workers("auto", runs(1)) is None


def test_auto_starts_no_more_workers_than_memory_holds(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(worker_plan, "WORKER_BYTES", 2**60)
    assert plan_workers("auto", runs(8)) is None


def test_a_number_is_taken_as_it_is() -> None:
    assert plan("3", 50) == WorkerPlan(3, 2)
    assert plan("20", 2) == WorkerPlan(20, 1)
    assert plan("1", 2) == WorkerPlan(1, 8)


@pytest.mark.parametrize("requested", ["0", "-1", "two", "257", "1.5", "²"])
def test_anything_else_is_refused(requested: str) -> None:
    with pytest.raises(UsageError, match=r"workers: invalid value: .*\(allowed: auto or an integer from 1"):
        plan_workers(requested, runs(2))


def test_threads_that_the_user_sets_are_kept(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.THREADS, "3")
    machine.setenv("OMP_NUM_THREADS", "5")
    found = plan("2", 4)
    assert found.threads == 3
    environment = found.environment(0, found.threads)
    assert environment[worker_plan.THREADS] == environment["TF_NUM_INTEROP_THREADS"] == "3"
    assert environment["OMP_NUM_THREADS"] == "5"


def test_each_worker_gets_a_gpu(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.VISIBLE_GPUS, "2,5")
    assert find_gpus() == ["2", "5"]
    found = plan("auto", 10)
    assert (found.count, found.gpus, found.shared_gpus) == (2, ("2", "5"), False)
    assert [found.environment(index, 1)[worker_plan.VISIBLE_GPUS] for index in range(2)] == ["2", "5"]
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in found.environment(0, 1)
    assert str(found) == "2 workers, 4 threads each, one GPU each"


def test_more_workers_than_gpus_share_them(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.VISIBLE_GPUS, "0,1")
    found = plan("4", 10)
    assert [found.environment(index, 1)[worker_plan.VISIBLE_GPUS] for index in range(4)] == ["0", "1"] * 2
    assert found.environment(0, 1)["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_runs_that_name_their_gpu_see_all(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.VISIBLE_GPUS, "0,1")
    assert plan("2", 4, "gpu:1").gpus == ()
    assert plan("2", 4, "gpus") == WorkerPlan(2, 4, shared_gpus=True)


def test_runs_on_all_gpus_follow_each_other(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.VISIBLE_GPUS, "0,1")
    assert plan_workers("auto", runs(4, "gpus")) is None


def test_runs_on_cpus_leave_gpus_alone(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(worker_plan.VISIBLE_GPUS, "0,1")
    assert plan("auto", 4, "cpu") == WorkerPlan(4, 2)
