"""Checks of the search of a spec: it may not choose by the test set, and every value must be allowed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dropout_lab.spec.grid import GridSource, setting_location
from dropout_lab.spec.models import Spec
from dropout_lab.spec.problems import NoEffect, Sources, describe, line, validation_problem
from dropout_lab.spec.search import BASELINE, BEST, Range, SearchSpec
from dropout_lab.spec.trial_values import combinations, listed_values, takes_integers, trial_settings
from dropout_lab.spec.yaml_source import Location, format_location

SEARCHABLE = ("model", "training", "data.scale", "data.image_size", "data.color_mode")
"""Fields that a search may vary. Others would change which examples the trials are measured by."""
MAX_COMBINATIONS = 1_000
TRIAL = ("conditions", "trial")
"""Where the settings of a trial would stand if it were a condition written by hand."""

Problem = tuple[Location, str]


def search_problems(
    spec: Spec, sources: Sources, settings_problems: Callable[[Spec, Sources], Iterator[str]]
) -> Iterator[str]:
    """Yield what is wrong with the search of `spec`, if it has one.

    Args:
        spec: The spec.
        sources: Places of its values.
        settings_problems: Checks the settings of the conditions of a spec.
    """
    if spec.search is None:
        return
    found = [*_surroundings(spec, sources), *_sampler(spec.search), *_fields(spec.search)]
    yield from (line(location, sources, problem) for location, problem in found)
    if not found:
        yield from _values(spec, spec.search, sources, settings_problems)


def _surroundings(spec: Spec, sources: Sources) -> Iterator[Problem]:
    assert spec.search is not None
    if spec.data.validation == "test":
        problem = (
            "a search chooses by validation metrics, and may not choose by the test set: 'test'"
            " (allowed: a fraction between 0 and 1, or a count of examples)"
        )
        yield ("data", "validation"), problem
    if spec.conditions:
        is_grid = any(isinstance(source, GridSource) for source in sources.values())
        conditions = f"{BASELINE} (the settings of the spec) and {BEST} (the best trial)"
        yield (
            ("grid",) if is_grid else ("conditions",),
            f"not allowed with search, whose conditions are {conditions}",
        )
    if len(spec.all_seeds) < 2:
        problem = f"too few seeds: {len(spec.all_seeds)} (allowed: 2 or more, which confirm the best trial)"
        yield ("seeds",), problem
    if shared := sorted(set(spec.all_seeds) & set(spec.search.seeds)):
        problem = f"seed of the confirmation, too: {shared[0]} (allowed: seeds that are not in seeds)"
        yield ("search", "seeds"), problem
    if len(set(spec.search.seeds)) < len(spec.search.seeds):
        yield ("search", "seeds"), "a seed is listed twice"


def _sampler(search: SearchSpec) -> Iterator[Problem]:
    if search.sampler != "grid":
        return
    ranges = {key: values for key, values in search.space.items() if isinstance(values, Range)}
    endless = [
        key
        for key, values in ranges.items()
        if values.log or (values.step is None and not takes_integers(key, values))
    ]
    for key in endless:
        yield ("search", "space", key), "a range without steps (allowed with grid: a list, or a step)"
    if not endless and search.trials is None and search.num_combinations > MAX_COMBINATIONS:
        problem = f"too many combinations: {search.num_combinations:,} (allowed: {MAX_COMBINATIONS:,})"
        yield ("search", "space"), f"{problem}; set search.trials to try the first of them"


def _fields(search: SearchSpec) -> Iterator[Problem]:
    for key, values in search.space.items():
        place = ("search", "space", key)
        location = setting_location(key)
        if not any(format_location(location[: one.count(".") + 1]) == one for one in SEARCHABLE):
            yield place, f"not a field to search (allowed: fields of {', '.join(SEARCHABLE)})"
        others = [setting_location(other) for other in search.space if other != key]
        if any(location[: len(one)] == one for one in others):
            yield place, "part of another field of the space, or the same"
        if isinstance(values, Range):
            yield from _range((*place,), values)
        elif repeated := [value for number, value in enumerate(values) if value in values[:number]]:
            yield place, f"duplicate value: {describe(repeated[0])}"


def _range(place: Location, values: Range) -> Iterator[Problem]:
    if values.low >= values.high:
        yield (*place, "high"), f"invalid value: {values.high} (allowed: more than low, {values.low})"
    if values.log and values.low <= 0:
        yield (*place, "low"), f"invalid value: {values.low} (allowed with log: a number above 0)"
    if values.log and values.step is not None:
        yield (*place, "step"), "not allowed with log (remove one of them)"


def _values(
    spec: Spec,
    search: SearchSpec,
    sources: Sources,
    settings_problems: Callable[[Spec, Sources], Iterator[str]],
) -> Iterator[str]:
    """Check each value of each field, then the values of all fields together."""
    source = GridSource(
        "search", places={setting_location(key): ("search", "space", key) for key in search.space}
    )
    with_trial = {**sources, TRIAL: source}
    problems = []
    for key, values in search.space.items():
        own = (_trial_problems({key: value}, with_trial) for value in listed_values(key, values))
        problems += next(filter(None, own), [])
    if problems:
        yield from problems
        return
    unused: dict[str, list[str]] = {}
    num_combinations = 0
    for values_by_key in combinations(search, search.space):
        num_combinations += 1
        if problems := _trial_problems(values_by_key, with_trial):
            yield from problems
            continue
        conditions = {TRIAL[1]: trial_settings(values_by_key)}
        probe = spec.model_copy(update={"conditions": conditions, "search": None})
        found = dict.fromkeys(settings_problems(probe, with_trial))
        yield from (problem for problem in found if not isinstance(problem, NoEffect))
        for place, problem in {one.place: one for one in found if isinstance(one, NoEffect)}.items():
            unused.setdefault(place, []).append(problem)
    yield from (lines[0] for lines in unused.values() if len(lines) == num_combinations)


def _trial_problems(values: Mapping[str, Any], sources: Sources) -> list[str]:
    """Return what is wrong with values that a trial has, whatever the settings of its spec."""
    try:
        trial_settings(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [
            validation_problem({**details, "loc": (*TRIAL, *details["loc"])}, sources) for details in found
        ]
    return []
