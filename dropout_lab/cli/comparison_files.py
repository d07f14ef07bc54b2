"""Write the plots and the report of a comparison, and say on stderr where they are."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from dropout_lab.cli.console import printable
from dropout_lab.comparison.results import Comparison
from dropout_lab.data.selection import CLASS_NAMES
from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.files import write_atomically
from dropout_lab.plotting import TestPredictions, comparison_pictures, save_pictures
from dropout_lab.reporting.report import ReportLinks, render_report


def write_files(
    comparison: Comparison,
    predictions: Mapping[str, TestPredictions],
    *,
    plots: Path | None,
    report: Path | None,
    log: bool,
) -> None:
    """Write plots to the folder `plots`, the report to the file `report`, and to MLflow if `log`.

    Raises:
        UsageError: If a file cannot be written.
        TrackingError: If the tracking store cannot be read or written.
    """
    if plots is not None:
        paths = save_pictures(comparison_pictures(comparison, predictions, CLASS_NAMES), plots)
        _say(f"{len(paths)} plot files written to {plots}")
    if report is None and not log:
        return
    html = render_report(
        comparison,
        predictions=predictions,
        class_names=CLASS_NAMES,
        links=_report_links(comparison),
        command=shlex.join(["dropout-lab", *sys.argv[1:]]),
    )
    if report is not None:
        try:
            write_atomically(report, html.encode())
        except OSError as error:
            raise UsageError(f"--report: cannot write {report}: {error.strerror}") from error
        _say(f"Report written to {report}")
    if log:
        from dropout_lab.tracking.reports import log_report

        run_id = log_report(
            comparison.runs[0].experiment_id,
            html,
            name=f"comparison with {comparison.reference}",
            description="\n".join(f"- {one.sentence}" for one in comparison.verdicts),
        )
        _say(f"Report logged to MLflow: run {run_id}")


def read_predictions(comparison: Comparison) -> dict[str, TestPredictions]:
    """Return the test predictions of the runs that dropout_lab trained, by run ID."""
    predictions = {}
    for run in comparison.runs:
        if run.versions:
            from dropout_lab.tracking import load_test_probs

            try:
                predictions[run.run_id] = load_test_probs(run)
            except TrackingError as error:
                _say(f"Excluded from reliability diagram and ensemble: {error.message}")
    return predictions


def _report_links(comparison: Comparison) -> ReportLinks:
    experiment_id, run_ids = comparison.runs[0].experiment_id, [run.run_id for run in comparison.runs]
    if not experiment_id:
        return ReportLinks()
    from dropout_lab.tracking import links, locate

    base = links.base_address(locate().uri)
    return ReportLinks(
        runs={run_id: links.run_address(base, experiment_id, run_id) for run_id in run_ids},
        comparison=links.comparison_address(base, [experiment_id], run_ids),
        curves=links.curves_address(base, experiment_id, run_ids),
    )


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)
