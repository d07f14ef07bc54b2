"""Facts of the runs of a condition, by seed: do they differ, and how are they described."""

from collections import defaultdict
from collections.abc import Mapping

from dropout_lab.comparison.confounds import (
    EXPLAINED_BY,
    FINGERPRINTS,
    NOT_LOGGED,
    SEED_OWN,
    UNUSED,
    Facts,
    matches,
    run_facts,
)
from dropout_lab.comparison.selection import Selection, format_seeds, paired_seeds

FactsBySeed = Mapping[int, Facts]
NOT_SET = "(not set)"
SETTINGS = ("model.", "training.", "data.")
"""Beginnings of the settings of runs that dropout_lab trained, which do not log what is not used."""


def facts_by_condition(selection: Selection) -> dict[str, FactsBySeed]:
    """Return the facts of all runs; a setting that only other runs logged is not used, or `NOT_SET`."""
    facts = {
        name: {seed: run_facts(run) for seed, run in runs.items()} for name, runs in selection.runs.items()
    }
    not_set = {key: UNUSED.get(key, NOT_SET) for key in keys_of(facts) if key.startswith(SETTINGS)}
    return {
        name: {
            seed: {**not_set, **own} if selection.runs[name][seed].versions else own
            for seed, own in by_seed.items()
        }
        for name, by_seed in facts.items()
    }


def keys_of(facts: Mapping[str, FactsBySeed]) -> set[str]:
    """Return the keys that any run has."""
    return {key for by_seed in facts.values() for run in by_seed.values() for key in run}


def differs(key: str, first: FactsBySeed, second: FactsBySeed) -> bool:
    """Return whether two conditions differ in `key`: seed by seed if they can be paired."""
    shared = paired_seeds(first, second)
    if shared:
        return any(first[seed].get(key, NOT_LOGGED) != second[seed].get(key, NOT_LOGGED) for seed in shared)
    return not is_seed_own(key, first) and distinct_values(key, first) != distinct_values(key, second)


def is_seed_own(key: str, by_seed: FactsBySeed) -> bool:
    """Return whether each seed has its own value: images too, if they are drawn again for each."""
    resampled = all(facts.get("data.resample") == "True" for facts in by_seed.values())
    return key in SEED_OWN or (key == "data_digest" and resampled)


def is_explained(key: str, first: FactsBySeed, second: FactsBySeed) -> bool:
    """Return whether another difference is the cause of this one."""
    causes = [other for run in first.values() for other in run if matches(other, EXPLAINED_BY.get(key, ()))]
    return any(differs(cause, first, second) for cause in set(causes))


def distinct_values(key: str, by_seed: FactsBySeed) -> set[str]:
    """Return the values of `key` over the seeds."""
    return {facts.get(key, NOT_LOGGED) for facts in by_seed.values()}


def group_seeds(key: str, by_seed: FactsBySeed) -> dict[str, list[int]]:
    """Return the seeds by value of `key`."""
    seeds: dict[str, list[int]] = defaultdict(list)
    for seed, facts in by_seed.items():
        seeds[facts.get(key, NOT_LOGGED)].append(seed)
    return seeds


def describe_values(key: str, by_seed: FactsBySeed) -> str:
    """Return the value of a condition, or its values with their seeds."""
    seeds_by_value = group_seeds(key, by_seed)
    if key in FINGERPRINTS:
        seeds_by_value = {value[:12]: seeds for value, seeds in seeds_by_value.items()}
    if len(seeds_by_value) == 1:
        return next(iter(seeds_by_value)) or "(none)"
    return ", ".join(
        f"{value or '(none)'} (seed {format_seeds(seeds)})" for value, seeds in seeds_by_value.items()
    )
