"""Evaluate finished runs: from their logged models and data to metrics in the same MLflow runs."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.models.architecture import custom_objects, network_function
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.evaluation import EvaluationReport
from dropout_lab.runs.evaluation_checks import check_evaluation
from dropout_lab.runs.evaluation_parts import evaluate_parts, missing_parts
from dropout_lab.runs.failures import worded
from dropout_lab.runs.logged_settings import read_settings
from dropout_lab.runs.studies import refresh
from dropout_lab.spec import DataSpec
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.tracking import Tracker, connect, fetch_model, load_test_probs
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.restoring import restore_network
from dropout_lab.training.trained import TrainedNetwork

LARGEST_MEAN_DIFFERENCE = 1e-3
"""Mean difference of probabilities up to which two predictions are the same, computed on two machines."""


def evaluate_runs(
    runs: Sequence[RunRecord],
    spec: EvaluationSpec,
    *,
    force: bool = False,
    on_start: Callable[[RunRecord], None] = lambda _: None,
) -> EvaluationReport:
    """Evaluate finished runs one after the other, and log the results to them.

    A run that was evaluated with equal settings is skipped. The failure of one run stays with that one,
    unless the tracking store is away.

    Args:
        runs: Finished runs.
        spec: What to measure.
        force: Whether runs are evaluated again.
        on_start: Called with each run that is evaluated.
    """
    report = EvaluationReport()
    evaluator = _Evaluator(spec)
    notes: dict[str, list[str]] = {}
    for run in runs:
        if not missing_parts(spec, run.evaluated, force=force):
            report.skipped.append(run.run_id)
            continue
        on_start(run)
        try:
            report.evaluated[run.run_id], found = evaluator.evaluate(run, force=force)
        except KeyboardInterrupt:
            report.interrupted = True
            break
        except Exception as error:
            failure = worded(run.run_name, error)
            report.failures.append(failure)
            if failure.stops_others:
                break
        else:
            for note in found:
                notes.setdefault(note, []).append(run.run_name)
    by_id = {run.run_id: run for run in runs}
    report.notes += refresh(by_id[run_id].experiment_name for run_id in report.evaluated)
    report.notes += [f"{_some(names)}: {note}" for note, names in notes.items()]
    return report


class _Evaluator:
    """Evaluates single runs, and loads each dataset once."""

    def __init__(self, spec: EvaluationSpec) -> None:
        self._spec = spec
        self._datasets: dict[DataSpec, Dataset] = {}
        self._trackers: dict[str, Tracker] = {}
        self._device = resolve_device("auto").device

    def evaluate(self, run: RunRecord, *, force: bool) -> tuple[dict[str, float], Sequence[str]]:
        """Return the metrics of `run` that were measured and logged now, and what the user should know."""
        if run.status is not RunStatus.FINISHED:
            raise UsageError(f"status {run.status.value} (allowed: FINISHED)")
        trained = self._restore(run)
        parts = missing_parts(self._spec, run.evaluated, force=force)
        result = evaluate_parts(trained, self._spec, parts, run.evaluated)
        if run.experiment_name not in self._trackers:
            self._trackers[run.experiment_name] = connect(run.experiment_name)
        with tempfile.TemporaryDirectory() as folder:
            for path, content in result.files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            tracker = self._trackers[run.experiment_name]
            tracker.log_evaluation(run.run_id, result.metrics, Path(folder), result.tags)
        return dict(result.metrics), result.notes

    def _restore(self, run: RunRecord) -> TrainedNetwork:
        settings = read_settings(run)
        if settings.data not in self._datasets:
            self._datasets[settings.data] = load_data(settings.data)
        data = self._datasets[settings.data].for_seed(run.seed)
        if run.data_digest and data.fingerprint.digest != run.data_digest:
            raise UsageError(
                "the data are not those of the run", hint="Restore them, or train the run again."
            )
        check_evaluation(self._spec, data)
        objects = custom_objects(network_function(settings.model))
        with tempfile.TemporaryDirectory() as folder:
            file = fetch_model(run, Path(folder))
            num_epochs = int(run.metrics.get("best_epoch", settings.training.epochs))
            network = restore_network(
                file, settings, data, run.seed, run.final_weights, objects, num_epochs=num_epochs
            )
        trained = TrainedNetwork(network, data, run.seed, self._device)
        _require_same_predictions(run, trained)
        return trained


def _require_same_predictions(run: RunRecord, trained: TrainedNetwork) -> None:
    """Check that the restored network predicts what the run logged."""
    try:
        probs, _ = load_test_probs(run)
    except TrackingError:  # a run without predictions
        return
    if probs.shape != trained.test_probs.shape or not (
        np.abs(probs - trained.test_probs).mean() < LARGEST_MEAN_DIFFERENCE
    ):
        raise UsageError(
            "the restored network does not predict what the run logged",
            hint="Restore the code and the data of the run, or train it again.",
        )


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more runs"
