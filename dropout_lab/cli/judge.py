"""``dropout-lab judge``: compare scores from a table, without MLflow."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dropout_lab.cli import comparison_options as options
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import full_name
from dropout_lab.errors import UsageError


@documented(
    "Compare scores from a CSV or JSON file.",
    "The table has one row per run: condition, seed and any number of metrics. Runs with the same seed are "
    "paired; without a column `seed` they are not. The tests are those of `compare`.",
    examples=[
        "dropout-lab judge scores.csv",
        "dropout-lab judge scores.json --metric f1 --reference baseline --report report.html",
        "cat scores.csv | dropout-lab judge - --format markdown",
    ],
)
def judge(
    scores: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON file, or - for standard input.")],
    condition: options.Conditions = None,
    metric: options.Metrics = None,
    primary: options.Primary = None,
    reference: options.Reference = None,
    margin: options.Margins = None,
    method: options.MethodName = "t",
    confidence: options.Confidence = 0.95,
    all_pairs: options.AllPairsFlag = False,
    plots: options.PlotsFolder = None,
    report: options.ReportFile = None,
    format_: options.Format = "table",
) -> None:
    """Read the table, compare its conditions, and write the result in every requested form."""
    options.check_report_folder(report)
    from dropout_lab.cli.comparison_output import print_comparison
    from dropout_lab.comparison.question import Question
    from dropout_lab.comparison.score_table import judge as judge_rows
    from dropout_lab.comparison.score_table import metric_columns, parse_scores, read_scores
    from dropout_lab.statistics.methods import Method

    if scores == "-":
        name, rows = "scores", parse_scores(_read_stdin(), "standard input")
    else:
        name, rows = Path(scores).stem, read_scores(Path(scores))
    columns = metric_columns(rows)

    def name_of(name: str) -> str:
        return name if name in columns else full_name(name)

    comparison = judge_rows(
        rows,
        Question(
            conditions=condition or (),
            metrics=options.parse_metrics(metric or [], name_of) or columns,
            primary=primary and name_of(primary),
            reference=reference,
            margins=options.parse_margins(margin or [], name_of),
            method=Method(method),
            confidence=confidence,
            all_pairs=all_pairs,
        ),
        name=name,
    )
    print_comparison(comparison, format_)
    if plots or report:
        from dropout_lab.api.results import ComparisonResult
        from dropout_lab.cli.comparison_files import write_files

        write_files(ComparisonResult(comparison), plots=plots, report=report, log=False)


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"-: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise UsageError(f"-: {error.strerror}") from error
