"""The runs that an argument of the API names."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from dropout_lab.api.run_result import RunResult
from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.records import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame

    from dropout_lab.plotting import TestPredictions


def read_chosen(
    runs: "str | DataFrame | RunResult | list[RunRecord] | None", histories: Sequence[str] = ()
) -> list[RunRecord]:
    """Return runs of one experiment, any status, the oldest first.

    Args:
        runs: Name of the experiment, rows of `load_runs`, result of `run`, records that were read already,
            or None for the experiment of the latest run.
        histories: Names of per-epoch metrics to read as well.

    Raises:
        UsageError: If there is no such experiment, or rows are of several.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    from dropout_lab.tracking import read_runs

    if isinstance(runs, list):
        return runs
    if runs is None or isinstance(runs, str):
        return read_runs(runs, histories=histories)
    if isinstance(runs, RunResult):
        return [run for run in read_runs(runs.experiment, histories=histories) if runs.includes(run)]
    if missing := {"run_id", "experiment"} - set(runs):
        raise UsageError(f"runs: no column {min(missing)!r} (allowed: rows of load_runs)")
    experiments = sorted(set(runs["experiment"]))
    if len(experiments) != 1:
        problem = f"of {len(experiments)} experiments: {', '.join(experiments)}" if experiments else "no rows"
        raise UsageError(f"runs: {problem} (allowed: runs of one experiment)")
    run_ids = set(runs["run_id"])
    return [run for run in read_runs(experiments[0], histories=histories) if run.run_id in run_ids]


def read_predictions(runs: Iterable[RunRecord], note: Callable[[str], None]) -> "dict[str, TestPredictions]":
    """Return the test predictions of the runs that dropout_lab trained, by run ID.

    Args:
        runs: Runs.
        note: Called with a message for each run whose predictions cannot be read.
    """
    from dropout_lab.tracking import load_test_probs

    predictions = {}
    for run in runs:
        if not run.versions:
            continue
        try:
            predictions[run.run_id] = load_test_probs(run)
        except TrackingError as error:
            note(f"{run.run_name} is excluded from the ensemble and the reliability diagram: {error.message}")
    return predictions
