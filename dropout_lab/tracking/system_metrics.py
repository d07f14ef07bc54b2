"""Sample the machine while a run trains, under the names that the MLflow UI knows."""

import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor
from mlflow.system_metrics.metrics.rocm_monitor import ROCMMonitor

from dropout_lab.errors import TrackingError
from dropout_lab.evaluation.registry import SYSTEM
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.location import Location

SAMPLE_SECONDS = 5.0
SAMPLES_PER_CALL = 6


class SystemMetricsSampler:
    """Samples in a thread of its own from entering to leaving.

    MLflow's own thread stops at the first failed call, reports that on the terminal, and logs nothing of a
    run that is shorter than its interval, so only its probes are used. Probes that fail, as in a container
    without counters, are skipped. Samples that cannot be logged are kept until they can.
    """

    def __init__(self, client: MlflowClient, location: Location, run_id: str) -> None:
        self._client = client
        self._location = location
        self._run_id = run_id
        self._probes = _working_probes()
        self._samples: list[tuple[int, dict[str, float]]] = []
        self._next_step: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, daemon=True, name="system-metrics")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample_until_stopped(self) -> None:
        self._sample()  # the first processor load is since boot
        stopped = False
        while not stopped:
            stopped = self._stop.wait(SAMPLE_SECONDS)
            self._samples.append((time.time_ns() // 1_000_000, self._sample()))
            if stopped or len(self._samples) % SAMPLES_PER_CALL == 0:
                self._deliver()

    def _sample(self) -> dict[str, float]:
        sample: dict[str, float] = {}
        for probe in self._probes:
            with suppress(Exception):  # a counter that this machine lacks now
                probe.clear_metrics()
                probe.collect_metrics()
                sample |= probe.aggregate_metrics()
        return sample

    def _deliver(self) -> None:
        try:
            with failures_told(self._location):
                if self._next_step is None:
                    self._next_step = self._first_step()
                while self._samples:
                    part = self._samples[:SAMPLES_PER_CALL]
                    metrics = [
                        Metric(SYSTEM.name(name), value, timestamp_ms, self._next_step + index)
                        for index, (timestamp_ms, sample) in enumerate(part)
                        for name, value in sample.items()
                    ]
                    heartbeat = RunTag(schema.HEARTBEAT, liveness.heartbeat())
                    self._client.log_batch(self._run_id, metrics=metrics, tags=[heartbeat])
                    self._next_step += len(part)
                    del self._samples[: len(part)]
        except TrackingError:
            pass  # samples are kept for the next call, which repeats the same steps and times

    def _first_step(self) -> int:
        """Return the step after those that an earlier process of this run has logged."""
        history = self._client.get_metric_history(self._run_id, SYSTEM.name("cpu_utilization_percentage"))
        return max((metric.step for metric in history), default=-1) + 1


def _working_probes() -> list[Any]:
    """Return the probes that this machine has the counters and libraries for."""
    probes = []
    for kind in (CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor, ROCMMonitor):
        with suppress(Exception):
            probes.append(kind())
    return probes
