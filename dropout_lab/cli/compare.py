"""``dropout-lab compare``: differences between the conditions of an experiment, with verdicts."""

from pathlib import Path
from typing import Annotated

import typer

from dropout_lab.cli import comparison_options as options
from dropout_lab.cli.console import starting
from dropout_lab.cli.help import documented
from dropout_lab.errors import DropoutLabError, UsageError


@documented(
    "Compare the conditions of an experiment.",
    "Prints differences, confidence intervals and verdicts. Exits with code 2 if the runs also differ in "
    "another setting that affects results.",
    examples=[
        "dropout-lab compare",
        "dropout-lab compare study --condition dropout --metric test_accuracy --margin 0.003",
        "dropout-lab compare study --report report.html --plots plots",
        "dropout-lab compare study --claims experiments/study.yaml --check",
        "dropout-lab compare mine --group-by params.dropout --pair-by params.seed --metric val_accuracy",
    ],
)
def compare(
    experiment: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="MLflow experiment. [default: $MLFLOW_EXPERIMENT_NAME, or that of the latest run]",
        ),
    ] = None,
    condition: options.Conditions = None,
    metric: options.Metrics = None,
    primary: options.Primary = None,
    reference: options.Reference = None,
    margin: options.Margins = None,
    varying: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Setting under study. Repeatable. [default: model.dropout*]"),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Setting that may also differ. Repeatable."),
    ] = None,
    method: options.MethodName = "t",
    confidence: options.Confidence = 0.95,
    group_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Param or tag that makes the conditions, such as params.dropout, for runs that dropout-lab "
            "did not train. Repeatable.",
        ),
    ] = None,
    pair_by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Param or tag that pairs runs, such as params.seed. [default: unpaired]"
        ),
    ] = None,
    claims: Annotated[
        Path | None,
        typer.Option(
            metavar="SPEC", help="Test the claims in this spec. [default: the claims recorded with the runs]"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with code 1 unless every claim is supported.")
    ] = False,
    all_pairs: options.AllPairsFlag = False,
    ensemble: Annotated[
        bool,
        typer.Option("--ensemble", help="Also evaluate the ensemble of each condition's seeds."),
    ] = False,
    plots: options.PlotsFolder = None,
    report: options.ReportFile = None,
    log: Annotated[bool, typer.Option("--log", help="Also log the report to MLflow.")] = False,
    format_: options.Format = "table",
) -> None:
    """Read the runs, compare them, and write the result in every requested form."""
    options.check_report_folder(report)
    if pair_by and not group_by:
        raise UsageError("--pair-by: needs --group-by KEY, the param or tag that makes the conditions")
    needs_predictions = bool(plots or report or log)
    with starting("MLflow"):
        from dropout_lab.api.comparing import compare as compare_experiment
        from dropout_lab.cli.comparison_files import say, write_files
        from dropout_lab.cli.comparison_output import print_comparison
        from dropout_lab.comparison.claims import ClaimStatus

        result = compare_experiment(
            experiment,
            conditions=condition or (),
            reference=reference,
            metrics=metric or (),
            primary=primary,
            margins=options.parse_margins(margin or []),
            method=method,
            confidence=confidence,
            varying=varying or (),
            allow=allow or (),
            group_by=group_by or (),
            pair_by=pair_by,
            claims=claims,
            all_pairs=all_pairs,
            ensemble=ensemble or needs_predictions,
            curves=needs_predictions,
            note=say,
        )
    found = result.comparison.claims
    if check and not found:
        raise UsageError(
            "--check: no claims: the specs of the runs state none, and --claims SPEC was not given"
        )
    print_comparison(result.comparison, format_)
    write_files(result, plots=plots, report=report, log=log)
    missed = [one for one in found if one.status is not ClaimStatus.SUPPORTED or one.changed]
    if check and missed:
        raise DropoutLabError(
            f"{len(missed)} of {len(found)} claims not supported:\n"
            + "\n".join(f"- {one.sentence}" for one in missed)
        )
