"""``dropout-lab compare``: in what an experiment's conditions differ, by how much, and how sure that is."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

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
    ],
)
def compare(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="MLflow experiment; by default MLFLOW_EXPERIMENT_NAME, else that of the latest run."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="Only this condition (may be repeated) and the reference.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Judge this metric (may be repeated); the first one gets the verdict lines."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            "--baseline",
            help="Compare with this one; by default baseline, else one without dropout, else the first.",
        ),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[METRIC=]VALUE",
            help="Largest difference that is too small to matter, as a fraction; without METRIC of the "
            "first metric. By default 0.002 for accuracies and the gap, 0.01 for losses, 0.005 for Brier "
            "score and calibration error.",
        ),
    ] = None,
    varying: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="What the comparison is about, in place of model.dropout* (may be repeated)."
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Compare although this differs too (may be repeated)."),
    ] = None,
    method: Annotated[
        Literal["t", "bootstrap", "sign-flip", "wilcoxon"],
        typer.Option(
            help="Paired t test; or with a BCa bootstrap's interval; or with an exact test's p-value."
        ),
    ] = "t",
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of intervals; verdicts err in at most the rest.")
    ] = 0.95,
    claims: Annotated[
        Path | None,
        typer.Option(
            metavar="SPEC", help="Judge the claims of this spec; by default those that the runs state."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 unless every claim is supported.")
    ] = False,
    plots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write pictures (PNG and SVG) into this folder.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one HTML page that needs nothing else.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Keep the report in MLflow.")] = False,
    format_: Annotated[
        Literal["table", "markdown", "csv", "json"],
        typer.Option("--format", help="How to print the results."),
    ] = "table",
) -> None:
    """Read the runs, compare them, and write the result in every requested form."""
    margins = _parse_margins(margin or [], metric or [])
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"[--report] expected a file in a folder that is there, received {report}")
    wants_report = report is not None or log
    with starting("MLflow"):
        from dropout_lab.cli.comparison_output import print_comparison
        from dropout_lab.comparison.compare import Question, compare_runs
        from dropout_lab.comparison.guard import DEFAULT_VARYING
        from dropout_lab.comparison.results import ClaimStatus
        from dropout_lab.statistics.methods import Method
        from dropout_lab.tracking import read_runs

        histories: Sequence[str] = ()
        if plots or wants_report:
            from dropout_lab.plotting import CURVE_METRICS

            histories = CURVE_METRICS
        runs = read_runs(experiment, histories=histories)
        stated = _read_claims(claims, runs)
    if check and not stated:
        raise UsageError(
            "[--check] There are no claims: neither the runs' specs state any, nor was --claims SPEC given."
        )
    comparison = compare_runs(
        runs,
        Question(
            conditions=condition or (),
            reference=reference,
            metrics=metric or (),
            margins=margins,
            confidence=confidence,
            method=Method(method),
            varying=varying or DEFAULT_VARYING,
            allow=allow or (),
            claims=stated,
        ),
    )
    comparison = _with_single_runs(comparison)
    print_comparison(comparison, format_)
    if plots or wants_report:
        from dropout_lab.cli.comparison_files import write_files

        write_files(comparison, plots=plots, report=report, log=log)
    missed = [one for one in comparison.claims if one.status is not ClaimStatus.SUPPORTED or one.changed]
    if check and missed:
        raise DropoutLabError(
            f"{len(missed)} of {len(comparison.claims)} claims are not supported as they were stated before "
            "the runs:\n" + "\n".join(f"- {one.sentence}" for one in missed)
        )


def _parse_margins(texts: Sequence[str], metrics: Sequence[str]) -> dict[str, float]:
    margins = {}
    for text in texts:
        name, separator, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0) or (separator and not name):
            raise UsageError(
                f"[--margin] expected a fraction above 0 such as 0.003 or test_loss=0.02, received {text!r}"
            )
        margins[name or (metrics[0] if metrics else "test_accuracy")] = value
    return margins


def _read_claims(spec: Path | None, runs: "Sequence[RunRecord]") -> "list[Claim]":
    """Return the claims of a spec file, else those that the latest run with claims was started with."""
    from dropout_lab.records import Claim
    from dropout_lab.spec import load_spec
    from dropout_lab.tracking.reports import load_text

    if spec is not None:
        return [Claim(**claim.model_dump()) for claim in load_spec(spec).claims]
    with_claims = [run for run in runs if run.claims_fingerprint]
    if not with_claims:
        return []
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.yaml"
        try:
            given.write_text(load_text(with_claims[-1], "spec/given.yaml"), encoding="utf-8")
            return [Claim(**claim.model_dump()) for claim in load_spec(given).claims]
        except (TrackingError, UsageError) as error:
            name = with_claims[-1].run_name
            raise DropoutLabError(
                f"The claims of {name} cannot be read from its logged spec: {error.message}",
                hint="Name the spec that states them: --claims SPEC.",
            ) from error


def _with_single_runs(comparison: "Comparison") -> "Comparison":
    """Compare test predictions where there is but one run of a condition and one of the reference."""
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
        notes.append(f"Test predictions of the single runs cannot be compared: {error.message}")
    return replace(comparison, single_runs=tuple(found), notes=tuple(notes))
