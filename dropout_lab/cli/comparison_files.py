"""Write the plots and the report of a comparison, and say on stderr where they are."""

import shlex
import sys
from pathlib import Path

from dropout_lab.api.results import ComparisonResult
from dropout_lab.cli.sentences import remark
from dropout_lab.errors import UsageError
from dropout_lab.files import write_atomically


def write_files(result: ComparisonResult, *, plots: Path | None, report: Path | None, log: bool) -> None:
    """Write plots to the folder `plots`, the report to the file `report`, and to MLflow if `log`.

    Raises:
        UsageError: If a file cannot be written.
        TrackingError: If the tracking store cannot be read or written.
    """
    if plots is not None:
        from dropout_lab.plotting import save_plots

        paths = save_plots(result.plots(), plots)
        remark(f"{len(paths)} plot files written to {plots}")
    if report is None and not log:
        return
    html = result.to_html(command=shlex.join(["dropout-lab", *sys.argv[1:]]))
    if report is not None:
        try:
            write_atomically(report, html.encode())
        except OSError as error:
            raise UsageError(f"--report: cannot write {report}: {error.strerror}") from error
        remark(f"Report written to {report}")
    if log:
        from dropout_lab.tracking.reports import log_report

        run_id = log_report(
            result.comparison.runs[0].experiment_id,
            html,
            name=f"comparison with {result.comparison.reference}",
            description="\n".join(f"- {one.sentence}" for one in result.comparison.verdicts),
        )
        remark(f"Report logged to MLflow: run {run_id}")
