"""Checks of the schedules of a spec: fields that do not apply to a shape, and cutoffs beyond the training."""

from collections.abc import Iterator, Sequence

from dropout_lab.spec.kinds import SiteDropout, SiteSetting, rate_of
from dropout_lab.spec.merging import merged_settings
from dropout_lab.spec.models import Spec
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.problems import NoEffect, Sources, in_file, line
from dropout_lab.spec.rates import covers, site_settings
from dropout_lab.spec.schedules import FIELDS, NEEDS_UNTIL, RAMPS, Schedule
from dropout_lab.spec.settings import Settings
from dropout_lab.spec.yaml_source import Location

ANY_RATE = 0.5
"""Stands for the rate that a network gives a site, which is not known before the network is built."""


def schedule_problems(spec: Spec, sources: Sources) -> Iterator[str]:
    """Yield what is wrong with schedules, which conditions may change in part."""
    merged = merged_settings(spec)
    yield from _problems(spec, list(merged.values()), ("model",), sources)
    for name, settings in spec.conditions.items():
        yield from _problems(settings, [merged[name]], ("conditions", name, "model"), sources)


def _problems(
    given: Settings, merged: Sequence[Settings], place: Location, sources: Sources
) -> Iterator[str]:
    for name, setting in given.model.dropout.items():
        if not isinstance(setting, SiteDropout) or setting.schedule is None:
            continue
        where = in_file((*place, "dropout", name, "schedule"))
        found = [
            (site, settings)
            for settings in merged
            for known, site in _site_settings(settings.model).items()
            if covers(name, known)
        ]
        if found and all(rate_of(site) == 0 for site, _ in found) and not setting.schedule.is_constant:
            yield NoEffect(where, sources, "no rate that could change (write {rate: 0.5, schedule: cosine})")
        for site, settings in found:
            if isinstance(site, SiteDropout) and site.schedule is not None:
                given_here, merged_there = setting.schedule, site.schedule
                for field, problem in _unused_fields(given_here, merged_there):
                    yield NoEffect((*where, field), sources, problem)
                problems = _schedule_problems(given_here, site, merged_there, settings.training.epochs)
                for field, problem in problems:
                    yield line((*where, field) if field else where, sources, problem)


def _site_settings(model: ModelSpec) -> dict[str, SiteSetting]:
    """Return the complete settings of the sites; if these are not known yet, of each name and pattern."""
    if model.sites is not None:
        return dict(model.resolved().dropout)
    return dict(site_settings(model.dropout, dict.fromkeys(model.dropout, ANY_RATE)))


def _unused_fields(given: Schedule, merged: Schedule) -> Iterator[tuple[str, str]]:
    """Yield fields that do not apply to the shape, which may be set elsewhere, and the problem."""
    if (shape := given.shape or merged.shape) is None:
        return
    for field in sorted(given.model_fields_set - {"shape", *FIELDS[shape]}):
        allowed = ", ".join(FIELDS[shape]) or "no other field"
        yield field, f"does not apply to the shape {shape} (allowed: {allowed})"


def _schedule_problems(
    given: Schedule, site: SiteDropout, merged: Schedule, num_epochs: int
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a schedule where it is given: the field, empty for the whole, and the problem.

    Args:
        given: The fields that are set at one place.
        site: Complete setting of a site.
        merged: Its schedule, to which other places may have contributed.
        num_epochs: Epochs of the training.
    """
    if merged.shape is None:
        yield (
            "",
            f"no shape for {', '.join(sorted(given.model_fields_set))} (write {{shape: early, until: 5}})",
        )
        return
    if site.kind == "concrete":
        yield "", "does not apply to the kind concrete, which learns its rate"
    shape = given.shape or merged.shape
    if given.shape == merged.shape in NEEDS_UNTIL and merged.until is None:
        yield "", f"no until for the shape {merged.shape} (write {{shape: {merged.shape}, until: 5}})"
    if given.until is not None and given.until == merged.until and merged.unit == "epochs":
        most = num_epochs - (merged.shape in NEEDS_UNTIL)
        if given.until > most:
            where = "training.epochs" if most == num_epochs else f"1 below training.epochs, {num_epochs}"
            yield "until", f"invalid value: {given.until} (allowed: at most {most}, {where})"
    if shape in RAMPS and merged.start == merged.end and {"start", "end"} & given.model_fields_set:
        hint = "write start: 1, end: 0 for a rate that decreases"
        yield "end", f"start and end are both {merged.end:g}, so that the rate never changes ({hint})"
