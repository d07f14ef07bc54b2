"""Checks across the fields of a spec: names that refer to each other, and overrides without effect."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dropout_lab.errors import SpecError
from dropout_lab.evaluation.registry import EVALUATED_METRICS
from dropout_lab.spec.dataset_checks import dataset_problems
from dropout_lab.spec.grid import DROPOUT, GridSource
from dropout_lab.spec.kinds import FIELDS
from dropout_lab.spec.merging import condition_settings, merged_settings
from dropout_lab.spec.models import SequentialSeeds, Spec
from dropout_lab.spec.network_checks import network_problems
from dropout_lab.spec.problems import Sources, line, unknown_name
from dropout_lab.spec.rates import ALL_SITES, overlap
from dropout_lab.spec.schedule_checks import schedule_problems
from dropout_lab.spec.search_checks import search_problems
from dropout_lab.spec.settings import Settings, flatten
from dropout_lab.spec.training_checks import training_problems
from dropout_lab.spec.yaml_source import Location, format_location

MAX_NAMED = 3
"""Conditions that a message names before it counts the others."""


def check_whole(spec: Spec, sources: Sources) -> None:
    """Check what single fields cannot show.

    Raises:
        SpecError: With every problem found.
    """
    problems = [
        *_conditions(spec, sources),
        *_claims(spec, sources),
        *_seeds(spec, sources),
        *_settings(spec, sources),
        *search_problems(spec, sources, _settings),
        *_overrides(spec, sources),
    ]
    if problems := problems or [*_repeated(spec, sources)]:
        raise SpecError(dict.fromkeys(problems))


def _settings(spec: Spec, sources: Sources) -> Iterator[str]:
    """Check the settings of each condition, as they are merged with those that all share."""
    yield from network_problems(spec, sources)
    yield from schedule_problems(spec, sources)
    yield from dataset_problems(spec, sources)
    yield from training_problems(spec, sources)


def _conditions(spec: Spec, sources: Sources) -> Iterator[str]:
    """Refuse names that differ only in case: some file systems take them for one."""
    by_folded: dict[str, str] = {}
    for name in spec.conditions:
        first = by_folded.setdefault(name.casefold(), name)
        if first != name:
            problem = f"condition {name!r} differs from {first!r} only in case"
            yield line(("conditions", name), sources, problem)


def _repeated(spec: Spec, sources: Sources) -> Iterator[str]:
    """Refuse conditions of a grid that another condition equals: they would be trained twice."""
    by_content: dict[str, str] = {}
    for name, settings in condition_settings(spec).items():
        first = by_content.setdefault(str(flatten(settings)), name)
        if first != name and isinstance(sources.get(("conditions", name)), GridSource):
            problem = f"condition {name!r} has the settings of {first!r} (remove one of them)"
            yield line(("grid",), sources, problem)


def _claims(spec: Spec, sources: Sources) -> Iterator[str]:
    names = spec.condition_names
    for index, claim in enumerate(spec.claims):
        for role in ("condition", "reference") if spec.conditions or spec.search else ("condition",):
            name = getattr(claim, role)
            if name not in names:
                yield line(("claims", index, role), sources, unknown_name(name, names))
        if claim.condition == claim.reference:
            problem = f"the condition itself: {claim.reference!r} (allowed: another condition)"
            yield line(("claims", index, "reference"), sources, problem)
        if claim.expected == "equivalent" and claim.margin == 0:
            problem = "invalid value: 0 (allowed: a number above 0)"
            yield line(("claims", index, "margin"), sources, problem)


def _seeds(spec: Spec, sources: Sources) -> Iterator[str]:
    if isinstance(spec.seeds, SequentialSeeds):
        if len(spec.condition_names) < 2:
            yield line(("seeds",), sources, "a sequential design needs at least two conditions to compare")
        if spec.seeds.first >= spec.seeds.most:
            problem = f"invalid value: {spec.seeds.most} (allowed: more than first, {spec.seeds.first})"
            yield line(("seeds", "most"), sources, problem)
        if missing := _missing_evaluation(spec):
            problem = (
                f"{spec.primary} is measured by an evaluation, which a sequential design needs after each run"
            )
            yield line(("primary",), sources, f"{problem} ({missing})")
    elif repeated := sorted({seed for seed in spec.seeds if spec.seeds.count(seed) > 1}):
        yield line(("seeds",), sources, f"duplicate seed: {repeated[0]}")


def _missing_evaluation(spec: Spec) -> str:
    """Return what a spec needs for its runs to have its primary metric; empty if they have."""
    metric, evaluation = spec.primary, spec.evaluation
    if metric not in EVALUATED_METRICS:
        return ""
    if metric.startswith("temperature") and any(
        settings.data.validation == "test" for settings in merged_settings(spec).values()
    ):
        return "hold out data.validation to fit the temperature"
    needs = {"shift_": "shift: all", "ood_": "ood: all", "mc_ood_": "ood: all", "pwp_": "pooling: true"}
    needed = next((option for start, option in needs.items() if metric.startswith(start)), "")
    has_it = evaluation is not None and (not needed or getattr(evaluation, needed.partition(":")[0]))
    return "" if has_it else f"add `evaluation: {{{needed}}}`"


def _overrides(spec: Spec, sources: Sources) -> Iterator[str]:
    """Refuse an override of a shared setting that conditions set themselves: there it would do nothing."""
    shared = spec.model_dump(exclude_unset=True)
    grid = {location[1]: source for location, source in sources.items() if isinstance(source, GridSource)}
    overridden = [place for place, source in sources.items() if place and not isinstance(source, GridSource)]
    own: dict[str, list[Location]] = {}
    for _, name, *place in (one for one in overridden if one[0] == "conditions" and len(one) > 1):
        own.setdefault(str(name), []).append(_setting(tuple(place)))
    for location in overridden:
        if location[0] not in Settings.model_fields:
            continue
        setting = _setting(location)
        changed = {place for place in _leaves(shared) if place[: len(setting)] == setting}
        blocked = [
            name
            for name, settings in spec.conditions.items()
            if any(
                any(_overlap(place, other) for other in changed) and not _is_under(place, own.get(name, ()))
                for place in _leaves(settings.model_dump(exclude_unset=True))
            )
        ]
        if blocked:
            places = dict.fromkeys(
                grid[name].place(location) if name in grid else ("conditions", name, *location)
                for name in blocked
            )
            fields = [format_location(place) for place in places][:MAX_NAMED]
            more = len(places) - len(fields)
            yield line(
                location,
                sources,
                f"no effect on conditions that set it themselves (override {', '.join(fields)}"
                f"{f' and {more} more' if more else ''} instead)",
            )


def _is_under(location: Location, parents: Sequence[Location]) -> bool:
    return any(location[: len(parent)] == parent for parent in parents)


def _setting(location: Location) -> Location:
    """Return the location in the settings of what stands at `location` in a file."""
    of_all = location[: len(DROPOUT)] == DROPOUT and location[len(DROPOUT) :][:1] and location[2] in FIELDS
    return (*DROPOUT, ALL_SITES, *location[2:]) if of_all else location


def _overlap(first: Location, second: Location) -> bool:
    """Return whether two settings are one, or one field of the same sites: a bare rate is `rate`."""
    if not first[:2] == second[:2] == DROPOUT:
        return first == second
    fields = [location[3:] or ("rate",) for location in (first, second)]
    shorter = min(map(len, fields))
    return overlap(str(first[2]), str(second[2])) and fields[0][:shorter] == fields[1][:shorter]


def _leaves(value: Any, location: Location = ()) -> Iterator[Location]:
    """Yield the location of every single setting."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, (*location, key))
    else:
        yield location
