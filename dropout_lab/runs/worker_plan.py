"""How many worker processes train, and what each may use: threads and GPUs."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import format_count
from dropout_lab.runs.messages import Message
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.worker_process import WorkerProcess
from dropout_lab.training.cpus import available_cpus

AUTO = "auto"
MAX_WORKERS = 256
WORKER_BYTES = 1.5 * 2**30
"""Memory that `auto` counts for a worker: TensorFlow, MLflow and Fashion-MNIST take 1.3 GiB."""

THREADS = "TF_NUM_INTRAOP_THREADS"
"""The variable that decides how many threads compute one operation, and with that the bits of a result."""
OTHER_THREADS = ("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class WorkerPlan:
    """Worker processes of a command.

    Attributes:
        count: Number of workers.
        threads: Threads of each.
        gpus: GPUs to divide among them, one per worker; empty if each sees all.
        shared_gpus: Whether several workers use one GPU.
    """

    count: int
    threads: int
    gpus: tuple[str, ...] = ()
    shared_gpus: bool = False

    def __str__(self) -> str:
        each = f"{format_count(self.threads, 'thread')} each"
        return f"{format_count(self.count, 'worker')}, {each}{', one GPU each' if self.gpus else ''}"

    def start(
        self, index: int, threads: int, receive: Callable[[WorkerProcess, Message | None], None]
    ) -> WorkerProcess:
        """Start the worker process at `index`, which computes with `threads` threads."""
        environment = self.environment(index, threads)
        return WorkerProcess("dropout_lab.runs.worker", environment, threads, receive)

    def environment(self, index: int, threads: int) -> dict[str, str]:
        """Return the environment of the worker process at `index`, which computes with `threads` threads."""
        own = thread_variables(threads)
        if self.gpus:
            own[VISIBLE_GPUS] = self.gpus[index % len(self.gpus)]
        if self.shared_gpus:
            own["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        return {**os.environ, **own}


def thread_variables(threads: int) -> dict[str, str]:
    """Return the environment variables by which a process computes with `threads` threads."""
    own = {name: str(threads) for name in OTHER_THREADS if name not in os.environ}
    return {**own, THREADS: str(threads)}


def given_threads() -> int:
    """Return the number of threads that the user has set in the environment; 0 without one."""
    given = os.environ.get(THREADS, "")
    return int(given) if given.isdecimal() else 0


def parse_count(requested: str) -> int | None:
    """Return the number of runs at once that a user asks for; None for ``auto``.

    Raises:
        UsageError: If `requested` is neither.
    """
    if requested == AUTO:
        return None
    if requested.isdecimal() and 1 <= int(requested) <= MAX_WORKERS:
        return int(requested)
    raise UsageError(
        f"workers: invalid value: {requested!r} (allowed: auto or an integer from 1 to {MAX_WORKERS})"
    )


def plan_workers(requested: str, runs: Sequence[PlannedRun]) -> WorkerPlan | None:
    """Return the workers to start for `runs`, or None if they are better trained in this process.

    Args:
        requested: A number, or ``auto``: one worker per GPU if the runs may use GPUs (none if one uses all),
            else one per CPU, as far as there are runs and memory for them. Two workers of one thread train
            more runs per hour than one of two threads (benchmarks/workers.py).
        runs: All runs of the call.

    Raises:
        UsageError: If `requested` is neither.
    """
    gpus = find_gpus() if any(run.settings.device != "cpu" for run in runs) else []
    uses_all = any(run.settings.device == "gpus" for run in runs)
    count = parse_count(requested)
    if count is None:
        import psutil

        most = max(1, int(psutil.virtual_memory().available / WORKER_BYTES))
        places = 1 if uses_all else len(gpus) or available_cpus()
        count = min(len(runs), places, most, MAX_WORKERS)
        if count < 2:
            return None
    threads = given_threads() or max(1, available_cpus() // count)
    # A run that asks for one GPU by its number has to see them all.
    sees_all = uses_all or any(":" in run.settings.device for run in runs)
    divided = tuple(gpus) if len(gpus) > 1 and not sees_all else ()
    shared = bool(gpus) and (sees_all or count > len(gpus))
    return WorkerPlan(count, threads, divided, shared_gpus=shared and count > 1)


def find_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; starts no TensorFlow."""
    given = os.environ.get(VISIBLE_GPUS)
    if given is not None:
        return [one.strip() for one in given.split(",") if one.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return listed.stdout.split()
