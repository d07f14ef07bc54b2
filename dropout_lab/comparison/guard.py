"""The confound guard: names everything that differs between runs besides what is being compared."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dropout_lab.comparison.confounds import (
    FINGERPRINTS,
    NOT_LOGGED,
    SEED_OWN,
    WHY,
    Facts,
    check_patterns,
    kind_of,
    matches,
    run_facts,
)
from dropout_lab.comparison.findings import Finding, FindingKind
from dropout_lab.comparison.selection import FAILED, Selection, format_seeds, paired_seeds
from dropout_lab.errors import UsageError

DEFAULT_VARYING = ("model.dropout*",)

FactsBySeed = Mapping[int, Facts]


def check_confounds(
    selection: Selection, *, varying: Sequence[str] = DEFAULT_VARYING, allow: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Find what differs between the runs that are to be compared, besides what the comparison is about.

    Within a condition all runs must have one setting; between conditions nothing may differ but what
    varies. Runs that are paired by seed are compared seed by seed, so that two machines, each of which
    trained all conditions of its seeds, confound nothing.

    Args:
        selection: The runs that count.
        varying: What the comparison is about: keys (with all below them), or patterns with ``*``.
        allow: What may differ too, in the same form; its refusals become cautions.

    Returns:
        Refusals first, each kind in order of key.

    Raises:
        UsageError: A key of `varying` or `allow` is not there.
    """
    facts = {
        name: {seed: run_facts(run) for seed, run in runs.items()} for name, runs in selection.runs.items()
    }
    keys = sorted({key for by_seed in facts.values() for run in by_seed.values() for key in run})
    if tuple(varying) != DEFAULT_VARYING:
        check_patterns("--varying", varying, keys)
    check_patterns("--allow", allow, keys)
    findings = [
        finding
        for key in keys
        for finding in (
            *_within_conditions(key, facts),
            *([] if matches(key, varying) else _between_conditions(key, facts, selection.reference)),
        )
    ]
    findings += _repeated_runs(facts)
    findings = [_allowed(finding) if matches(finding.key, allow) else finding for finding in findings]
    for name in selection.conditions[1:]:
        findings += _nothing_varies(name, selection.reference, facts, varying)
    findings += _failures(selection)
    return tuple(sorted(findings, key=lambda one: (one.kind is FindingKind.CAUTION, one.key, one.conditions)))


def refuse(findings: Iterable[Finding]) -> None:
    """Raise where a finding forbids the comparison.

    Raises:
        UsageError: Naming every such finding.
    """
    refused = [f"- {one.sentence}" for one in findings if one.kind is FindingKind.REFUSED]
    if refused:
        raise UsageError("\n".join(["These runs cannot be compared:", *refused]))


def _between_conditions(key: str, facts: Mapping[str, FactsBySeed], reference: str) -> Iterable[Finding]:
    """Yield a finding where conditions differ from the reference in `key`, or cannot be checked."""
    if key == "final_weights":
        return
    differing = [
        name
        for name in facts
        if name != reference
        and _differs(key, facts[name], facts[reference])
        and not _explained(key, facts[name], facts[reference])
    ]
    if differing:
        conditions = (reference, *differing)
        values = tuple(_describe(key, facts[name]) for name in conditions)
        where = "; ".join(f"{value} in {name}" for name, value in zip(conditions, values, strict=True))
        advice = "It may matter."
        if kind_of(key) is FindingKind.REFUSED:
            advice = (
                "It changes results. Train the conditions alike; or compare all the same with "
                f"--allow {key}; or make it what is compared with --varying {key}."
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
        unknown = tuple(name for name in facts if NOT_LOGGED in _values(key, facts[name]))
        if unknown:
            yield Finding(
                key=key,
                kind=FindingKind.CAUTION,
                conditions=unknown,
                values=(NOT_LOGGED,) * len(unknown),
                observation=f"{key} was not logged in runs of {', '.join(unknown)}: "
                "whether they match cannot be checked.",
            )


def _within_conditions(key: str, facts: Mapping[str, FactsBySeed]) -> Iterable[Finding]:
    """Yield a finding for each condition whose own runs differ in a `key` that changes results."""
    if key in SEED_OWN or kind_of(key) is FindingKind.CAUTION:
        return
    for name, by_seed in facts.items():
        if len(_values(key, by_seed)) > 1:
            value = _describe(key, by_seed)
            yield Finding(
                key=key,
                kind=FindingKind.REFUSED,
                conditions=(name,),
                values=(value,),
                observation=f"{key} differs between the runs of {name}: {value}. A condition must be one "
                "setting.",
                advice=f"Train all its seeds alike, or mix them all the same with --allow {key}.",
            )


def _repeated_runs(facts: Mapping[str, FactsBySeed]) -> Iterable[Finding]:
    """Yield findings where runs with different seeds are one run over again."""
    for name, by_seed in facts.items():
        for key in ("initial_weights", "final_weights"):
            groups = [seeds for value, seeds in _seeds_by_value(key, by_seed).items() if value != NOT_LOGGED]
            repeated = [seeds for seeds in groups if len(seeds) > 1]
            if repeated:
                value = "; ".join(f"equal at seeds {format_seeds(seeds)}" for seeds in repeated)
                yield Finding(
                    key=key,
                    kind=FindingKind.REFUSED,
                    conditions=(name,),
                    values=(value,),
                    observation=f"{key} of {name}: {value}. These are no independent runs, and the "
                    "interval would be too narrow.",
                    advice=f"Train them again, or count them all the same with --allow {key}.",
                )


def _nothing_varies(
    name: str, reference: str, facts: Mapping[str, FactsBySeed], varying: Sequence[str]
) -> Iterable[Finding]:
    """Yield a caution where what is compared does not differ, or differs and had no effect."""
    keys = {key for side in (name, reference) for run in facts[side].values() for key in run}
    compared = [key for key in keys if matches(key, varying)]
    shared = sorted(set(facts[name]) & set(facts[reference]))
    ends = {seed: {facts[side][seed]["final_weights"] for side in (name, reference)} for seed in shared}
    same_end = [seed for seed, values in ends.items() if len(values) == 1 and NOT_LOGGED not in values]
    if not any(_differs(key, facts[name], facts[reference]) for key in compared):
        key, value = "varying", "the same"
        observation = f"{name} and {reference} do not differ in {', '.join(varying)}: nothing is compared."
    elif same_end:
        key, value = "final_weights", f"equal at seeds {format_seeds(same_end)}"
        observation = (
            f"{name} and {reference} end with equal weights at seeds {format_seeds(same_end)}, although "
            "their settings differ: what differs had no effect on the training."
        )
    else:
        return
    yield Finding(
        key=key,
        kind=FindingKind.CAUTION,
        conditions=(reference, name),
        values=(value, value),
        observation=observation,
    )


def _failures(selection: Selection) -> Iterable[Finding]:
    """Yield cautions where runs failed for good: the ones that finished may be the lucky ones."""
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
            observation=f"Runs of {name} failed at seeds {format_seeds(seeds)}: the figures speak only of "
            "the runs that finished, which may be the better ones.",
        )


def _allowed(finding: Finding) -> Finding:
    return replace(
        finding, kind=FindingKind.CAUTION, advice="It changes results, and was allowed by --allow."
    )


def _differs(key: str, first: FactsBySeed, second: FactsBySeed) -> bool:
    shared = paired_seeds(first, second)
    if shared:
        return any(first[seed].get(key, NOT_LOGGED) != second[seed].get(key, NOT_LOGGED) for seed in shared)
    return key not in SEED_OWN and _values(key, first) != _values(key, second)


def _explained(key: str, first: FactsBySeed, second: FactsBySeed) -> bool:
    """Return whether another difference, found or compared, is the cause of this one."""
    causes = [other for run in first.values() for other in run if matches(other, FINGERPRINTS.get(key, ()))]
    return any(_differs(cause, first, second) for cause in set(causes))


def _values(key: str, by_seed: FactsBySeed) -> set[str]:
    return {facts.get(key, NOT_LOGGED) for facts in by_seed.values()}


def _seeds_by_value(key: str, by_seed: FactsBySeed) -> dict[str, list[int]]:
    seeds: dict[str, list[int]] = defaultdict(list)
    for seed, facts in by_seed.items():
        seeds[facts.get(key, NOT_LOGGED)].append(seed)
    return seeds


def _describe(key: str, by_seed: FactsBySeed) -> str:
    """Return the value of a condition, or its values with their seeds."""
    seeds_by_value = _seeds_by_value(key, by_seed)
    if key in FINGERPRINTS:
        seeds_by_value = {value[:12]: seeds for value, seeds in seeds_by_value.items()}
    if len(seeds_by_value) == 1:
        return next(iter(seeds_by_value)) or "(none)"
    return ", ".join(
        f"{value or '(none)'} (seed {format_seeds(seeds)})" for value, seeds in seeds_by_value.items()
    )
