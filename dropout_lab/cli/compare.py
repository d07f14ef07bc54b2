"""``dropout-lab compare``: differences between the conditions of an experiment, with verdicts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dropout_lab.cli import comparison_options as options
from dropout_lab.cli.completion import complete_experiment
from dropout_lab.cli.console import is_verbose, starting
from dropout_lab.cli.experiment_names import experiment_of
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import full_name
from dropout_lab.errors import DropoutLabError, UsageError


@documented(
    "Compare the conditions of an experiment.",
    "Prints differences, confidence intervals and verdicts. Exits with code 2 if the runs also differ in "
    "another setting that affects results.",
    examples=[
        "dropout-lab compare",
        "dropout-lab compare study --condition dropout --metric acc,ece --margin 0.003",
        "dropout-lab compare study --report report.html --plots plots",
        "dropout-lab compare study --claims experiments/study.yaml --check",
        "dropout-lab compare mine --group-by params.dropout --pair-by params.seed --metric val_accuracy",
    ],
)
def compare(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="MLflow experiment, or the spec that names it. Each of several is compared by itself. "
            "[default: $MLFLOW_EXPERIMENT_NAME, or that of the latest run]",
            autocompletion=complete_experiment,
        ),
    ] = None,
    condition: options.Conditions = None,
    metric: options.Metrics = None,
    primary: options.Primary = None,
    reference: options.Reference = None,
    margin: options.Margins = None,
    varying: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Setting under study. Repeatable. [default: those in which the spec's conditions differ]",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Setting that may also differ. Repeatable."),
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Compare the runs with equal values of this setting by themselves, such as data.num_train. "
            "The confidence level holds for all values together.",
        ),
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
    names: list[str | None] = [*map(experiment_of, experiments or [])] or [None]
    if len(names) > 1 and (plots or report or log):
        raise UsageError("--plots, --report and --log: take one experiment")
    if within and (group_by or plots or report or log):
        raise UsageError("--within: takes none of --group-by, --plots, --report and --log")
    name_of = str if group_by else full_name
    needs_predictions = bool(plots or report or log)
    with starting("MLflow"):
        from dropout_lab.api.comparing import compare as compare_experiment
        from dropout_lab.api.within import compare_within
        from dropout_lab.cli.comparison_files import write_files
        from dropout_lab.cli.comparison_output import print_comparisons
        from dropout_lab.cli.sentences import remark
        from dropout_lab.comparison.claims import ClaimStatus

        asked: dict[str, Any] = {
            "conditions": condition or (),
            "reference": reference,
            "metrics": options.parse_metrics(metric or [], name_of),
            "primary": primary and name_of(primary),
            "margins": options.parse_margins(margin or [], name_of),
            "method": method,
            "confidence": confidence,
            "varying": varying or (),
            "allow": allow or (),
            "claims": claims,
            "all_pairs": all_pairs,
            "ensemble": ensemble or needs_predictions,
            "curves": needs_predictions,
            "note": remark,
        }
        if within:
            results = [one for name in names for one in compare_within(within, name, **asked).values()]
        else:
            grouped: dict[str, Any] = {"group_by": group_by or (), "pair_by": pair_by}
            results = [compare_experiment(name, **grouped, **asked) for name in names]
    comparisons = [result.comparison for result in results]
    found = [claim for comparison in comparisons for claim in comparison.claims]
    if check and not found:
        raise UsageError(
            "--check: no claims: the specs of the runs state none, and --claims SPEC was not given"
        )
    print_comparisons(comparisons, format_)
    write_files(results[0], plots=plots, report=report, log=log)
    if format_ == "table" and report is None and not is_verbose():
        remark("Details: --verbose. HTML report: --report report.html.")
    missed = [one for one in found if one.status is not ClaimStatus.SUPPORTED or one.changed]
    if check and missed:
        raise DropoutLabError(
            f"{len(missed)} of {len(found)} claims not supported:\n"
            + "\n".join(f"- {one.sentence}" for one in missed)
        )
