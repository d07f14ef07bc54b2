"""What `run` would do with a spec: its runs, their networks, and the time that they are expected to take."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.outline import outline_all
from dropout_lab.errors import NoStoreError
from dropout_lab.models.network import Network
from dropout_lab.records import RunStatus
from dropout_lab.runs.checking import check_runs
from dropout_lab.runs.expected_time import ExpectedTime, Place, expected_time
from dropout_lab.runs.identity import identify
from dropout_lab.runs.networks import build_networks, resolve_networks, resolved_settings
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.search.checking import Shape, check_trials
from dropout_lab.runs.search.search import require_optuna
from dropout_lab.runs.search.trials import baseline_spec, planned_runs, trial_experiment
from dropout_lab.runs.worker_plan import WorkerPlan, plan_workers
from dropout_lab.spec import DataSpec, Settings, Spec
from dropout_lab.tracking import list_experiments, read_runs
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.engines import choose_engine

MAX_EXPERIMENTS = 10
"""Experiments, the latest changed first, in which runs like those of the spec are looked for."""


@dataclass(frozen=True)
class ExpectedRun:
    """A run of a spec.

    Attributes:
        run: The planned run.
        is_finished: Whether it is finished, so that nothing will be trained.
        time: Time that it is expected to take; None if that is not known.
    """

    run: PlannedRun
    is_finished: bool
    time: ExpectedTime | None


@dataclass(frozen=True)
class DryRun:
    """What `run` would do with a spec.

    Attributes:
        spec: The spec.
        runs: All runs of the spec; of a search those of the baseline.
        num_others: Most runs that a search trains besides: trials, and the best one.
        num_workers: Number of runs that are trained at once.
        conditions: Settings by condition, with one complete setting per site.
        networks: Networks by condition.
        notes: What the user should know.
    """

    spec: Spec
    runs: tuple[ExpectedRun, ...]
    num_others: int
    num_workers: int
    conditions: Mapping[str, Settings]
    networks: Mapping[str, Network]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Seconds that all runs are expected to take that are not finished; None if that is not known."""
        missing = [one for one in self.runs if not one.is_finished]
        times = [one.time.seconds for one in missing if one.time is not None]
        if len(times) < len(missing) or (self.num_others and not self.runs[0].time):
            return None
        if self.num_others and self.runs[0].time:
            times += [self.runs[0].time.seconds] * self.num_others
        at_once = min(self.num_workers, len(times))
        return sum(times) / at_once if at_once else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the runs and times in a form that JSON keeps."""
        return {
            "experiment": self.spec.experiment,
            "runs": [
                {
                    "run_name": one.run.name,
                    "condition": one.run.condition,
                    "seed": one.run.seed,
                    "is_finished": one.is_finished,
                    "expected_seconds": one.time.seconds if one.time else None,
                    "estimated_from": one.time.num_runs if one.time else 0,
                }
                for one in self.runs
            ],
            "num_other_runs": self.num_others,
            "num_workers": self.num_workers,
            "expected_seconds": self.seconds,
            "notes": list(self.notes),
        }


def dry_run(spec: Spec, workers: str | None = None, *, fresh: bool = False) -> DryRun:
    """Return what `run` would do with `spec`. Nothing is trained, logged or downloaded.

    Args:
        spec: The spec.
        workers: Number of workers that would train at once, or ``auto``. [default: this process alone]
        fresh: Whether finished runs would be trained again.

    Raises:
        DataError: If data are missing or damaged, or not what an evaluation needs, as `run` raises it.
        DeviceError: If a device is not available.
        UsageError: If `run` would refuse the spec.
        TrackingError: If the tracking store cannot be read.
    """
    if spec.search:
        require_optuna()
    planned = plan_runs(baseline_spec(spec) if spec.search else spec)
    datasets = outline_all(run.settings.data for run in planned)
    check_runs(planned, datasets)
    plan = plan_workers(workers, planned_runs(spec) if spec.search else planned) if workers else None
    runs = resolve_networks(planned, datasets)
    given = {run.condition: run.settings for run in planned}
    shapes = {data: (one.input_shape, one.num_classes) for data, one in datasets.items()}
    networks = build_networks(given, shapes)
    if spec.search:
        check_trials(spec, lambda data: _shape(data, datasets))
    examples = {run.condition: run for run in runs}
    notes = [note for data in datasets.values() for note in data.notes]
    notes += [note for run in runs for note in run.settings.model.notes]
    places = {}
    for name, run in examples.items():
        places[name], reason = _place(run, datasets[run.settings.data], plan)
        notes += [f"{name} uses the stock engine: {reason}"] if reason else []
    own, others = _experiments(spec)
    records = [record for name in own for record in read_runs(name, statuses=[RunStatus.FINISHED])]
    finished = {record.run_key for record in records if record.experiment_name == spec.experiment}
    times = {name: expected_time(run, places[name], records) for name, run in examples.items()}
    for name in others:
        if all(times.values()):
            break
        more = read_runs(name, statuses=[RunStatus.FINISHED])
        times |= {key: times[key] or expected_time(run, places[key], more) for key, run in examples.items()}
    keys = [_key(run, datasets[run.settings.data], places[run.condition]) for run in runs]
    return DryRun(
        spec=spec,
        runs=tuple(
            ExpectedRun(run, key in finished and not fresh, times[run.condition])
            for run, key in zip(runs, keys, strict=True)
        ),
        num_others=len(planned_runs(spec)) + len(spec.all_seeds) if spec.search else 0,
        num_workers=plan.count if plan else 1,
        conditions={name: resolved_settings(one, networks[name]) for name, one in given.items()},
        networks=networks,
        notes=tuple(dict.fromkeys(notes)),
    )


def _shape(data: DataSpec, datasets: Mapping[DataSpec, Dataset]) -> Shape:
    """Return the shape of one example and the number of classes of the data of a trial."""
    one = datasets.get(data) or outline_all([data])[data]
    return one.input_shape, one.num_classes


def _place(run: PlannedRun, data: Dataset, plan: WorkerPlan | None) -> tuple[Place, str]:
    """Return what would compute a run, and why not the fast engine, if that is set."""
    device = resolve_device(run.settings.device, run.settings.training.precision)
    if plan is not None:
        device = replace(device, num_threads=plan.threads)
    engine, reason = choose_engine(run.settings, data, device)
    return Place(engine, device), reason


def _key(run: PlannedRun, data: Dataset, place: Place) -> str:
    return identify(run, data.for_seed(run.seed).fingerprint, place.device, place.engine).key


def _experiments(spec: Spec) -> tuple[list[str], list[str]]:
    """Return the experiments of a spec, and the latest others; none if there is no store yet."""
    names = [spec.experiment or "", *([trial_experiment(spec)] if spec.search else [])]
    try:
        known = [one.name for one in list_experiments()]
    except NoStoreError:
        return [], []
    return [name for name in names if name in known], [name for name in known if name not in names][
        :MAX_EXPERIMENTS
    ]
