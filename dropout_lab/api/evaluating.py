"""Evaluate the confidence of trained networks; `dropout-lab evaluate` prints what this returns."""

import html
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dropout_lab.api.reading import read_chosen, read_predictions
from dropout_lab.api.results import warn
from dropout_lab.api.run_result import RunResult
from dropout_lab.api.training import ONE_CALL_AT_A_TIME, starting
from dropout_lab.comparison.confidence import MEASURES, ConfidenceRow, confidence_rows
from dropout_lab.comparison.ensembles import form_ensembles
from dropout_lab.comparison.selection import select_runs
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES
from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.evaluation import EvaluationReport, evaluate_found
from dropout_lab.runs.executors import Starting
from dropout_lab.runs.outcome import Failure
from dropout_lab.spec.evaluation import EvaluationSpec

if TYPE_CHECKING:
    from pandas import DataFrame

    from dropout_lab.plotting import Plot

NAMES = {"shift": SHIFT_NAMES, "ood": SET_NAMES}
"""Names that settings are chosen from."""
Progress = Callable[[Sequence[RunRecord]], AbstractContextManager[Callable[[RunRecord], None]]]
"""From the runs of a call to a context that gives what is called with each run that is evaluated."""


@dataclass(frozen=True, repr=False)
class EvaluationResult:
    """What the evaluation of runs gave; notebooks show the table of its conditions.

    Attributes:
        runs: The finished runs, with all their metrics.
        rows: Test metrics by condition and way of prediction.
        report: Runs that were evaluated, skipped or failed.
    """

    runs: tuple[RunRecord, ...]
    rows: tuple[ConfidenceRow, ...]
    report: EvaluationReport

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Runs that could not be evaluated, with message and hint."""
        return tuple(self.report.failures)

    @property
    def table(self) -> "DataFrame":
        """One row per condition and method: `num_seeds`, means as ``accuracy``, and ``accuracy_sd``."""
        import pandas as pd

        columns = ["condition", "method", "num_seeds", *(c for one in MEASURES for c in (one, f"{one}_sd"))]
        return pd.DataFrame([row_values(row) for row in self.rows], columns=columns)

    def plots(self, note: Callable[[str], None] = warn) -> "tuple[Plot, ...]":
        """Return the plots of the runs, each with its caption, alternative text and what draws it.

        Args:
            note: Called with a message if something is left out. [default: a warning]
        """
        from dropout_lab.api.evaluation_plots import plots_of_runs

        return plots_of_runs(self.runs, note)

    def __repr__(self) -> str:
        report = self.report
        return (
            f"EvaluationResult({len(report.evaluated)} evaluated, {len(report.skipped)} skipped,"
            f" {len(report.failures)} failed)"
        )

    def _repr_html_(self) -> str:
        failures = (f"<p>{html.escape(f'{one.name}: {one.message} {one.hint}')}</p>" for one in self.failures)
        return f"{self.table.to_html(index=False)}{''.join(failures)}"


def row_values(row: ConfidenceRow) -> dict[str, str | int | float]:
    """Return a row of the table by column."""
    values: dict[str, str | int | float] = {
        "condition": row.condition,
        "method": row.method,
        "num_seeds": row.num_seeds,
    }
    for name in MEASURES:
        values |= {name: row.means[name], f"{name}_sd": row.sds[name]}
    return values


def evaluate(
    runs: "str | DataFrame | RunResult | None" = None,
    *,
    mc_samples: int = 50,
    shift: str | Sequence[str] = (),
    ood: str | Sequence[str] = (),
    pooling: bool = False,
    force: bool = False,
    check: bool = True,
    note: Callable[[str], None] = warn,
) -> EvaluationResult:
    """Measure what dropout does to confidence, for finished runs, as ``dropout-lab evaluate`` does.

    Each run is evaluated from its logged model and its data: Monte Carlo dropout, calibration, selective
    prediction and temperature scaling. The metrics are logged to the same MLflow run, so that `compare` takes
    them like any other. A run that was evaluated with equal settings is skipped. Of each condition and seed
    one run is taken, that which `compare` includes: the latest of the current spec.

    Args:
        runs: Name of the MLflow experiment, name or ID of a run, rows of `load_runs`, or result of `run`.
            [default: ``MLFLOW_EXPERIMENT_NAME``, or the experiment of the latest run]
        mc_samples: Predictions of each test example with dropout on, 2 to 10,000.
        shift: Ways to change the test images, or ``"all"``: ``noise``, ``blur``, ``contrast``,
            ``translation`` and ``rotation``, at five severities each.
        ood: Inputs from outside the distribution to detect, or ``"all"``: ``digits``, ``uniform``,
            ``inverted_test`` and ``shuffled_test``.
        pooling: Whether to predict with probabilistic weighted pooling too.
        force: Whether runs that were evaluated before are evaluated again.
        check: Whether runs that failed raise an error, after the others were tried.
        note: Called with a message if something is left out. [default: a warning]

    Returns:
        The evaluated runs, and the table of their conditions.

    Raises:
        UsageError: If an argument is invalid, or there is no such finished run.
        TrackingError: If the store cannot be used.
        DropoutLabError: If runs failed and `check` is true.
    """
    spec = make_spec(mc_samples=mc_samples, shift=shift, ood=ood, pooling=pooling)
    result = evaluate_chosen(runs, spec, force=force, note=note)
    if check:
        result.report.raise_problems()
    return result


def make_spec(**settings: Any) -> EvaluationSpec:
    """Return what to measure.

    Raises:
        UsageError: If a setting is invalid.
    """
    try:
        return EvaluationSpec(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        name, value = first["loc"][0], first["input"]
        if names := NAMES.get(str(name)):
            allowed = f"allowed: {', '.join(('all', *names))}"
            near = did_you_mean(value, names) if isinstance(value, str) else ""
            raise UsageError(f"{name}: unknown name {value!r}{near} ({allowed})") from None
        raise UsageError(f"{name}: {value!r} ({first['msg'].lower()})") from None


def evaluate_chosen(
    runs: "str | DataFrame | RunResult | None",
    spec: EvaluationSpec,
    *,
    force: bool,
    note: Callable[[str], None],
    starting: Starting = starting,
    progress: Progress = lambda _: nullcontext(lambda _: None),
) -> EvaluationResult:
    """Do what `evaluate` does, and raise nothing for runs that failed.

    Args:
        runs, force, note: As in `evaluate`.
        spec: What to measure.
        starting: Entered while TensorFlow or MLflow starts.
        progress: Shows the runs that are evaluated.
    """
    with ONE_CALL_AT_A_TIME, quiet_libraries():
        with starting("MLflow"):
            found = _finished(runs)
        with progress(found) as on_start:
            report = evaluate_found(found, spec, starting, force=force, on_start=on_start)
        for sentence in report.notes:
            note(sentence)
        ids = {run.run_id for run in found}
        evaluated = tuple(run for run in read_chosen(found[0].experiment_name) if run.run_id in ids)
        predictions = read_predictions(evaluated, note)
        rows = tuple(confidence_rows(evaluated, form_ensembles(evaluated, predictions)))
    return EvaluationResult(evaluated, rows, report)


def _finished(runs: "str | DataFrame | RunResult | None") -> list[RunRecord]:
    """Return the finished runs of an experiment that `compare` includes, or the one run that is named."""
    from dropout_lab.tracking import find_run, list_experiments

    experiments = [one.name for one in list_experiments()] if isinstance(runs, str) else []
    if isinstance(runs, str) and runs not in experiments:
        try:
            found = [find_run(runs)]
        except UsageError as error:
            hint = f"{error.hint or ''} Experiments: {', '.join(experiments[:20])}.".strip()
            raise UsageError(error.message, hint=hint) from None
    else:
        found = read_chosen(runs)
    finished = [run for run in found if run.status is RunStatus.FINISHED]
    if not finished:
        states = ", ".join(sorted({run.status.value for run in found})) or "none"
        raise UsageError(f"no finished runs to evaluate (found: {states})")
    included = {run.run_id for run in select_runs(finished).all_runs()}
    return [run for run in finished if run.run_id in included]
