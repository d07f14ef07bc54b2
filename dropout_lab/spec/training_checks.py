"""Checks of how the conditions of a spec train: fields that do not apply, or that need another one."""

from collections.abc import Iterator, Sequence
from typing import get_args

from dropout_lab.spec.base import Frozen
from dropout_lab.spec.merging import merged_settings
from dropout_lab.spec.models import Spec
from dropout_lab.spec.problems import NoEffect, Sources, line
from dropout_lab.spec.settings import Settings
from dropout_lab.spec.training import LearningRateSchedule, Shape
from dropout_lab.spec.yaml_source import Location

SCHEDULE = ("training", "learning_rate_schedule")


def training_problems(spec: Spec, sources: Sources) -> Iterator[str]:
    """Yield what is wrong with the training of each condition, at the place that sets it."""
    merged = merged_settings(spec)
    for name, settings in merged.items():
        own = spec.conditions.get(name)
        for make, problems in ((line, _needs(settings)), (NoEffect, _changes_nothing(settings))):
            for location, problem in problems:
                is_own = own is not None and _is_set(own, location)
                yield make(("conditions", name, *location) if is_own else location, sources, problem)
    yield from _misplaced(spec, list(merged.values()), (), sources)
    for name, own in spec.conditions.items():
        yield from _misplaced(own, [merged[name]], ("conditions", name), sources)


def _needs(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Yield what a condition lacks for what it asks for, with the location of the latter."""
    training = settings.training
    if training.early_stopping is not None and settings.data.validation == "test":
        yield (
            ("training", "early_stopping"),
            "needs a validation split, because nothing may be chosen by the test set"
            " (set data.validation to a fraction, such as 0.1)",
        )
    if training.learning_rate_schedule is not None:
        yield from _schedule_needs(training.learning_rate_schedule, training.epochs)


def _changes_nothing(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Yield what has no effect in a condition, with its location."""
    training, schedule = settings.training, settings.training.learning_rate_schedule
    if training.augmentation is not None and training.augmentation.changes_nothing:
        allowed = ", ".join(type(training.augmentation).model_fields)
        yield ("training", "augmentation"), f"changes nothing (set at least one of {allowed})"
    if training.nesterov and training.applies("nesterov") and training.momentum == 0:
        yield ("training", "nesterov"), "needs momentum (set training.momentum, such as 0.9)"
    if schedule is not None and schedule.shape == "constant" and schedule.warmup_epochs == 0:
        yield SCHEDULE, "changes nothing (set shape to cosine or step, or warmup_epochs)"


def _schedule_needs(schedule: LearningRateSchedule, epochs: int) -> Iterator[tuple[Location, str]]:
    milestones = schedule.milestones
    if schedule.warmup_epochs >= epochs:
        allowed = f"below training.epochs, {epochs}"
        yield (*SCHEDULE, "warmup_epochs"), f"invalid value: {schedule.warmup_epochs:g} (allowed: {allowed})"
    if schedule.shape != "step":
        return
    if not milestones:
        yield SCHEDULE, "shape step needs milestones (such as [5, 8], in epochs)"
    elif list(milestones) != sorted(set(milestones)) or milestones[-1] >= epochs:
        received = ", ".join(f"{one:g}" for one in milestones)
        allowed = f"rising epochs below training.epochs, {epochs}"
        yield (*SCHEDULE, "milestones"), f"invalid value: [{received}] (allowed: {allowed})"


def _misplaced(
    given: Settings, merged: Sequence[Settings], place: Location, sources: Sources
) -> Iterator[str]:
    """Yield fields that are set in `given` although they apply in none of its conditions."""
    trainings = [settings.training for settings in merged]
    for field in sorted(given.training.model_fields_set):
        if not any(training.applies(field) for training in trainings):
            problem = f"does not apply to the optimizer {trainings[0].optimizer} (allowed: with sgd)"
            yield NoEffect((*place, "training", field), sources, problem)
    schedule = given.training.learning_rate_schedule
    schedules = [one for training in trainings if (one := training.learning_rate_schedule) is not None]
    for field in sorted(schedule.model_fields_set if schedule is not None else ()):
        if schedules and not any(one.applies(field) for one in schedules):
            allowed = next(one for one in get_args(Shape) if LearningRateSchedule(shape=one).applies(field))
            problem = f"does not apply to the shape {schedules[0].shape} (allowed: with {allowed})"
            yield NoEffect((*place, *SCHEDULE, field), sources, problem)


def _is_set(part: Frozen, location: Location) -> bool:
    """Return whether the field at `location`, or something in it, is set in `part`."""
    for name in location:
        if not isinstance(part, Frozen) or name not in part.model_fields_set:
            return False
        part = getattr(part, str(name))
    return True
