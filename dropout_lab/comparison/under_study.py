"""The settings that a comparison is about: those in which the conditions of a spec differ."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from dropout_lab.comparison.confounds import NOT_LOGGED, matches
from dropout_lab.comparison.facts import FactsBySeed, differs
from dropout_lab.comparison.findings import Finding, FindingKind
from dropout_lab.comparison.selection import Selection, format_seeds
from dropout_lab.varied import DROPOUT, changed_settings


def settings_under_study(selection: Selection) -> tuple[str, ...]:
    """Return the settings that the specs of the runs varied between their conditions, as patterns.

    A run whose spec varied none, or was of a version that did not log it, is taken to be about dropout.
    """
    designs = [run.design for run in selection.all_runs()]
    stated = [design.varying if design is not None else () for design in designs]
    return tuple(dict.fromkeys(key for varying in stated for key in varying or (DROPOUT,)))


def nothing_varies(
    name: str, reference: str, facts: Mapping[str, FactsBySeed], varying: Sequence[str]
) -> Iterable[Finding]:
    """Yield a caution if the setting under study does not differ, or had no effect."""
    keys = {key for side in (name, reference) for run in facts[side].values() for key in run}
    compared = [key for key in keys if matches(key, varying)]
    shared = sorted(set(facts[name]) & set(facts[reference]))
    ends = {
        seed: {facts[side][seed].get("final_weights", NOT_LOGGED) for side in (name, reference)}
        for seed in shared
    }
    same_end = [seed for seed, values in ends.items() if len(values) == 1 and NOT_LOGGED not in values]
    if not any(differs(key, facts[name], facts[reference]) for key in compared):
        key, value = "varying", "the same"
        observation = (
            f"{name} and {reference} do not differ in {', '.join(varying)}, the setting under study."
        )
    elif same_end:
        key, value = "final_weights", f"equal at seeds {format_seeds(same_end)}"
        observation = (
            f"{name} and {reference} end with equal weights at seeds {format_seeds(same_end)}: the different "
            "settings had no effect."
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


def several_settings(
    selection: Selection, facts: Mapping[str, FactsBySeed], varying: Sequence[str]
) -> Iterable[Finding]:
    """Yield a caution for conditions that differ from the reference in several settings at once.

    Settings that conditions of the spec also differ in alone are no reason: their effects can be told apart.
    """
    designs = [run.design for run in selection.all_runs() if run.design is not None]
    confounded = {setting for design in designs for setting in design.confounded}
    by_settings: dict[str, list[str]] = defaultdict(list)
    for name in selection.conditions[1:]:
        sides = facts[name], facts[selection.reference]
        keys = sorted({key for side in sides for run in side.values() for key in run})
        changed = changed_settings(key for key in keys if matches(key, varying) and differs(key, *sides))
        if len(changed) > 1 and confounded.intersection(changed):
            by_settings[", ".join(one.rstrip("*") for one in changed)].append(name)
    for settings, names in by_settings.items():
        yield Finding(
            key="varying",
            kind=FindingKind.CAUTION,
            conditions=(selection.reference, *names),
            values=("(reference)", *(settings for _ in names)),
            observation=f"Several settings at once ({settings}) differ between {selection.reference} and "
            f"{', '.join(names)}, so a difference cannot be attributed to one of them.",
        )
