"""The confound guard: find every difference between runs besides the setting under study."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from dropout_lab.comparison.confounds import (
    FINGERPRINTS,
    NOT_LOGGED,
    WHY,
    check_patterns,
    kind_of,
    matches,
    remedy,
)
from dropout_lab.comparison.evaluation_facts import evaluation_facts, with_evaluation
from dropout_lab.comparison.facts import (
    FactsBySeed,
    describe_values,
    differs,
    distinct_values,
    facts_by_condition,
    group_seeds,
    is_explained,
    is_seed_own,
    keys_of,
)
from dropout_lab.comparison.findings import Finding, FindingKind
from dropout_lab.comparison.selection import FAILED, Selection, format_seeds
from dropout_lab.comparison.under_study import nothing_varies, settings_under_study, several_settings
from dropout_lab.errors import UsageError


def check_confounds(
    selection: Selection,
    *,
    varying: Sequence[str] = (),
    allow: Sequence[str] = (),
    metrics: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Find differences between the runs, besides the setting under study.

    Within a condition all runs must have equal settings; between conditions only `varying` may differ. Runs
    paired by seed are compared seed by seed, so two machines that each trained all conditions of their
    seeds confound nothing.

    Args:
        selection: Included runs.
        varying: Settings under study: keys (with all below them), or patterns with ``*``. By default those
            of `settings_under_study`.
        allow: Settings that may also differ, in the same form; their refusals become cautions.
        metrics: Metrics that are compared. Settings of the evaluation are checked if one depends on them.

    Returns:
        Refusals first, each kind in order of key.

    Raises:
        UsageError: If a key of `varying` or `allow` does not exist.
    """
    measured = evaluation_facts(selection.all_runs(), metrics)
    facts = with_evaluation(facts_by_condition(selection), measured)
    keys = sorted(keys_of(facts))
    check_patterns("--varying", varying, keys)
    is_stated, varying = bool(varying), varying or settings_under_study(selection)
    check_patterns("--allow", allow, keys)
    findings = [
        finding
        for key in keys
        for finding in (
            *_within_conditions(key, measured.get(key, facts)),
            *(
                []
                if matches(key, varying)
                else _between_conditions(key, measured.get(key, facts), selection.reference)
            ),
        )
    ]
    findings += _repeated_runs(facts)
    findings = [_allowed(finding) if matches(finding.key, allow) else finding for finding in findings]
    for name in selection.conditions[1:]:
        findings += nothing_varies(name, selection.reference, facts, varying)
    if not is_stated:
        findings += several_settings(selection, facts, varying)
    findings += _failures(selection)
    return tuple(sorted(findings, key=lambda one: (one.kind is FindingKind.CAUTION, one.key, one.conditions)))


def refuse(findings: Iterable[Finding]) -> None:
    """Raise if a finding forbids the comparison.

    Raises:
        UsageError: With every such finding.
    """
    refused = [f"- {one.sentence}" for one in findings if one.kind is FindingKind.REFUSED]
    if refused:
        raise UsageError("\n".join(["These runs cannot be compared:", *refused]))


def _between_conditions(key: str, facts: Mapping[str, FactsBySeed], reference: str) -> Iterable[Finding]:
    """Yield a finding if conditions differ from the reference in `key`, or cannot be checked."""
    if key == "final_weights" or reference not in facts:
        return
    differing = [
        name
        for name in facts
        if name != reference
        and differs(key, facts[name], facts[reference])
        and not is_explained(key, facts[name], facts[reference])
    ]
    if differing:
        conditions = (reference, *differing)
        values = tuple(describe_values(key, facts[name]) for name in conditions)
        where = "; ".join(f"{value} in {name}" for name, value in zip(conditions, values, strict=True))
        advice = ""
        if kind_of(key) is FindingKind.REFUSED:
            advice = (
                f"This affects results. {remedy(key)}, pass --allow {key} to ignore it, or "
                f"--varying {key} to study it."
            )
        yield Finding(
            key=key,
            kind=kind_of(key),
            conditions=conditions,
            values=values,
            observation=f"{key} differs: {where}. {WHY.get(key, '')}".rstrip(),
            advice=advice,
        )
    elif key in (*FINGERPRINTS, "data_digest") and len(facts) > 1:
        unknown = tuple(name for name in facts if NOT_LOGGED in distinct_values(key, facts[name]))
        if unknown:
            yield Finding(
                key=key,
                kind=FindingKind.CAUTION,
                conditions=unknown,
                values=(NOT_LOGGED,) * len(unknown),
                observation=f"{key} was not logged in runs of {', '.join(unknown)}, so it was not checked.",
            )


def _within_conditions(key: str, facts: Mapping[str, FactsBySeed]) -> Iterable[Finding]:
    """Yield a finding for each condition whose own runs differ in a `key` that affects results."""
    if kind_of(key) is FindingKind.CAUTION:
        return
    for name, by_seed in facts.items():
        if len(distinct_values(key, by_seed)) > 1 and not is_seed_own(key, by_seed):
            value = describe_values(key, by_seed)
            yield Finding(
                key=key,
                kind=FindingKind.REFUSED,
                conditions=(name,),
                values=(value,),
                observation=f"{key} differs between the runs of {name}: {value}. A condition has one "
                "setting.",
                advice=f"{remedy(key)}, or pass --allow {key} to mix them.",
            )


def _repeated_runs(facts: Mapping[str, FactsBySeed]) -> Iterable[Finding]:
    """Yield findings if runs with different seeds are copies of one run."""
    for name, by_seed in facts.items():
        for key in ("initial_weights", "final_weights"):
            groups = [seeds for value, seeds in group_seeds(key, by_seed).items() if value != NOT_LOGGED]
            repeated = [seeds for seeds in groups if len(seeds) > 1]
            if repeated:
                value = "; ".join(f"equal at seeds {format_seeds(seeds)}" for seeds in repeated)
                yield Finding(
                    key=key,
                    kind=FindingKind.REFUSED,
                    conditions=(name,),
                    values=(value,),
                    observation=f"{key} of {name}: {value}. These runs are not independent, so the "
                    "interval would be too narrow.",
                    advice=f"Retrain them, or pass --allow {key} to include them.",
                )


def _failures(selection: Selection) -> Iterable[Finding]:
    """Yield cautions for failed runs: the finished ones may be the better ones."""
    failed = defaultdict(set)
    for run in selection.exclusions:
        if run.reason == FAILED and run.seed not in selection.runs.get(run.condition, {}):
            failed[run.condition].add(run.seed)
    for name, seeds in failed.items():
        yield Finding(
            key="failed runs",
            kind=FindingKind.CAUTION,
            conditions=(name,),
            values=(f"seeds {format_seeds(seeds)}",),
            observation=f"Runs of {name} failed at seeds {format_seeds(seeds)}. Only finished runs are "
            "included, which may bias the results.",
        )


def _allowed(finding: Finding) -> Finding:
    return replace(
        finding, kind=FindingKind.CAUTION, advice="This affects results and was allowed by --allow."
    )
