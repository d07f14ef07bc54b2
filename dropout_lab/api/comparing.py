"""Compare the runs of an experiment; `dropout-lab compare` prints what this returns."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dropout_lab.api.questions import make_question
from dropout_lab.api.reading import read_chosen
from dropout_lab.api.results import ComparisonResult, warn
from dropout_lab.api.run_result import RunResult
from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.results import Comparison
from dropout_lab.errors import DropoutLabError, TrackingError, UsageError
from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import Claim, RunRecord
from dropout_lab.spec import Spec, load_spec

if TYPE_CHECKING:
    from pandas import DataFrame


def compare(
    runs: "str | DataFrame | RunResult | list[RunRecord] | None" = None,
    *,
    conditions: Sequence[str] = (),
    reference: str | None = None,
    metrics: Sequence[str] = (),
    primary: str | None = None,
    margins: float | Mapping[str, float] | None = None,
    method: str = "t",
    confidence: float = 0.95,
    varying: Sequence[str] = (),
    allow: Sequence[str] = (),
    group_by: Sequence[str] = (),
    pair_by: str | None = None,
    claims: Spec | str | Path | None = None,
    all_pairs: bool = False,
    ensemble: bool = False,
    curves: bool = True,
    note: Callable[[str], None] = warn,
) -> ComparisonResult:
    """Compare the conditions of an experiment with the tests of ``dropout-lab compare``.

    Args:
        runs: Name of the MLflow experiment, rows of `load_runs`, all of one experiment, result of `run`, or
            records that were read already.
            [default: ``MLFLOW_EXPERIMENT_NAME``, or the experiment of the latest run]
        conditions: Conditions shown besides the reference. [default: all]
        reference: Reference condition. [default: "baseline", a condition without dropout, or the first]
        metrics: Metrics shown besides the primary one. [default: the usual ones that were logged]
        primary: Metric that the verdict is about. [default: the spec's, the first of `metrics`, or
            test_accuracy]
        margins: Equivalence margin of the primary metric as a fraction, or margins by metric.
        method: ``t``, ``bootstrap``, ``sign-flip`` or ``wilcoxon``.
        confidence: Confidence level of intervals and verdicts, 0.5 to 0.9999.
        varying: Settings under study. [default: those in which the spec's conditions differ]
        allow: Settings that may also differ.
        group_by: Params or tags that make the conditions, such as ``params.dropout``, for runs that
            dropout_lab did not train.
        pair_by: Param or tag that pairs such runs, such as ``params.seed``. [default: unpaired]
        claims: Spec, or path of the spec, whose claims are tested. [default: those recorded with the runs]
        all_pairs: Whether all pairs of conditions are compared, too.
        ensemble: Whether the ensemble of each condition's seeds is evaluated, too.
        curves: Whether learning curves are read, for plots and reports.
        note: Called with a message if something is left out. [default: a warning]

    Returns:
        The result, with verdicts, tables, plots and report.

    Raises:
        UsageError: If an argument is invalid, or the runs also differ in another setting that affects
            results.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    if pair_by and not group_by:
        raise UsageError("pair_by: needs group_by, the param or tag that makes the conditions")
    question = make_question(
        conditions=conditions,
        reference=reference,
        metrics=metrics,
        primary=primary,
        margins=margins,
        method=method,
        confidence=confidence,
        varying=varying or group_by,
        allow=allow,
        all_pairs=all_pairs,
    )
    with quiet_libraries():
        found = (
            _read_foreign(runs, group_by, pair_by)
            if group_by
            else read_chosen(runs, curve_histories(curves=curves))
        )
        question = replace(question, claims=_read_claims(claims, found))
        result = ComparisonResult(_with_single_runs(compare_runs(found, question)), note)
        if not ensemble:
            return result
        from dropout_lab.comparison.ensembles import form_ensembles

        ensembles = form_ensembles(result.comparison.runs, result.predictions)
    return ComparisonResult(replace(result.comparison, ensembles=ensembles), note, result.predictions)


def curve_histories(*, curves: bool) -> Sequence[str]:
    """Return the per-epoch metrics that learning curves are drawn of; none without `curves`."""
    if not curves:
        return ()
    from dropout_lab.plotting import CURVE_METRICS

    return CURVE_METRICS


def _read_foreign(
    experiment: "str | DataFrame | RunResult | list[RunRecord] | None",
    group_by: Sequence[str],
    pair_by: str | None,
) -> list[RunRecord]:
    from dropout_lab.comparison.score_table import seed_numbers
    from dropout_lab.tracking.foreign import read_foreign_runs

    if experiment is not None and not isinstance(experiment, str):
        raise UsageError("group_by: needs the name of an experiment (for a data frame, use judge)")
    found = read_foreign_runs(experiment, group_by=group_by, pair_by=pair_by)
    seeds = seed_numbers([run.seed for run in found])
    return [replace(run.record, seed=seed) for run, seed in zip(found, seeds, strict=True)]


def _read_claims(stated: Spec | str | Path | None, runs: Sequence[RunRecord]) -> list[Claim]:
    """Return the claims of a spec, else those of the latest run that recorded any."""
    from dropout_lab.tracking import schema
    from dropout_lab.tracking.reports import load_text

    if stated is not None:
        return _claims(stated if isinstance(stated, Spec) else load_spec(Path(stated)))
    with_claims = [run for run in runs if run.claims_fingerprint]
    if not with_claims:
        return []
    design = with_claims[-1].design
    if design is not None and design.claims:
        return list(design.claims)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.yaml"
        try:
            given.write_text(load_text(with_claims[-1], schema.GIVEN_SPEC), encoding="utf-8")
            return _claims(load_spec(given))
        except (TrackingError, UsageError) as error:
            name = with_claims[-1].run_name
            raise DropoutLabError(
                f"Cannot read the claims of {name} from its logged spec: {error.message}",
                hint="Name the spec that states them: `--claims SPEC`.",
            ) from error


def _claims(spec: Spec) -> list[Claim]:
    return [Claim(**claim.model_dump()) for claim in spec.claims]


def _with_single_runs(comparison: Comparison) -> Comparison:
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
            probs, own_labels = load_test_probs(by_condition[name][0])
            if not np.array_equal(own_labels, labels):
                raise UsageError(f"{name} and {comparison.reference} have other test labels.")
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
