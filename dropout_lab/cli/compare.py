"""``dropout-lab compare``: differences between the conditions of an experiment, with verdicts."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli import comparison_options as options
from dropout_lab.cli.console import starting
from dropout_lab.cli.help import documented
from dropout_lab.errors import DropoutLabError, TrackingError, UsageError

if TYPE_CHECKING:
    from dropout_lab.comparison.results import Comparison
    from dropout_lab.records import Claim, RunRecord


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
    wants_report = report is not None or log
    with starting("MLflow"):
        from dropout_lab.cli.comparison_output import print_comparison
        from dropout_lab.comparison.claims import ClaimStatus
        from dropout_lab.comparison.compare import compare_runs
        from dropout_lab.comparison.guard import DEFAULT_VARYING
        from dropout_lab.comparison.question import Question
        from dropout_lab.statistics.methods import Method
        from dropout_lab.tracking import read_runs

        histories: Sequence[str] = ()
        if plots or wants_report:
            from dropout_lab.plotting import CURVE_METRICS

            histories = CURVE_METRICS
        if group_by:
            runs = _foreign_runs(experiment, group_by, pair_by)
        else:
            runs = read_runs(experiment, histories=histories)
        stated = _read_claims(claims, runs)
    if check and not stated:
        raise UsageError(
            "--check: no claims: the specs of the runs state none, and --claims SPEC was not given"
        )
    question = Question(
        conditions=condition or (),
        reference=reference,
        metrics=metric or (),
        primary=primary,
        confidence=confidence,
        method=Method(method),
        varying=varying or group_by or DEFAULT_VARYING,
        allow=allow or (),
        claims=stated,
        all_pairs=all_pairs,
        margins=options.parse_margins(margin or []),
    )
    comparison = _with_single_runs(compare_runs(runs, question))
    predictions = {}
    if plots or wants_report or ensemble:
        from dropout_lab.cli.comparison_files import read_predictions, write_files
        from dropout_lab.comparison.ensembles import form_ensembles

        predictions = read_predictions(comparison)
        comparison = replace(comparison, ensembles=form_ensembles(comparison.runs, predictions))
    print_comparison(comparison, format_)
    if plots or wants_report:
        write_files(comparison, predictions, plots=plots, report=report, log=log)
    missed = [one for one in comparison.claims if one.status is not ClaimStatus.SUPPORTED or one.changed]
    if check and missed:
        raise DropoutLabError(
            f"{len(missed)} of {len(comparison.claims)} claims not supported:\n"
            + "\n".join(f"- {one.sentence}" for one in missed)
        )


def _foreign_runs(experiment: str | None, group_by: list[str], pair_by: str | None) -> "list[RunRecord]":
    from dropout_lab.comparison.score_table import seed_numbers
    from dropout_lab.tracking.foreign import read_foreign_runs

    found = read_foreign_runs(experiment, group_by=group_by, pair_by=pair_by)
    seeds = seed_numbers([run.seed for run in found])
    return [replace(run.record, seed=seed) for run, seed in zip(found, seeds, strict=True)]


def _read_claims(spec: Path | None, runs: "Sequence[RunRecord]") -> "list[Claim]":
    """Return the claims of a spec file, else those of the latest run that recorded any."""
    from dropout_lab.records import Claim
    from dropout_lab.spec import load_spec
    from dropout_lab.tracking.reports import load_text

    if spec is not None:
        return [Claim(**claim.model_dump()) for claim in load_spec(spec).claims]
    with_claims = [run for run in runs if run.claims_fingerprint]
    if not with_claims:
        return []
    design = with_claims[-1].design
    if design is not None and design.claims:
        return list(design.claims)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.yaml"
        try:
            given.write_text(load_text(with_claims[-1], "spec/given.yaml"), encoding="utf-8")
            return [Claim(**claim.model_dump()) for claim in load_spec(given).claims]
        except (TrackingError, UsageError) as error:
            name = with_claims[-1].run_name
            raise DropoutLabError(
                f"Cannot read the claims of {name} from its logged spec: {error.message}",
                hint="Name the spec that states them: `--claims SPEC`.",
            ) from error


def _with_single_runs(comparison: "Comparison") -> "Comparison":
    """Compare test predictions if there is only one run of a condition and of the reference."""
    from dropout_lab.comparison.single_runs import compare_single_runs
    from dropout_lab.tracking import load_test_probs

    by_condition = {
        name: [run for run in comparison.runs if run.condition == name] for name in comparison.conditions
    }
    reference_runs = by_condition[comparison.reference]
    singles = [name for name in comparison.conditions[1:] if len(by_condition[name]) == 1]
    if len(reference_runs) != 1 or not singles:
        return comparison
    found, notes = [], list(comparison.notes)
    try:
        reference_probs, labels = load_test_probs(reference_runs[0])
        for name in singles:
            probs, _ = load_test_probs(by_condition[name][0])
            found.append(
                compare_single_runs(
                    name,
                    comparison.reference,
                    probs=probs,
                    reference_probs=reference_probs,
                    labels=labels,
                    confidence=comparison.confidence,
                )
            )
    except (TrackingError, UsageError) as error:
        notes.append(f"Cannot compare the test predictions of the single runs: {error.message}")
    return replace(comparison, single_runs=tuple(found), notes=tuple(notes))
