"""Checks of schedules against the data, which decide how many steps a training has."""

from collections.abc import Iterable, Mapping

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import UsageError
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.spec import DataSpec
from dropout_lab.spec.kinds import schedule_of
from dropout_lab.spec.schedules import NEEDS_UNTIL
from dropout_lab.training.rates import steps_per_epoch


def check_cutoffs(runs: Iterable[PlannedRun], datasets: Mapping[DataSpec, Dataset]) -> None:
    """Check that schedules in steps change within the training; `Spec` has checked those in epochs.

    Args:
        runs: Planned runs.
        datasets: Examples by the data settings that choose them.

    Raises:
        UsageError: With the first that does not.
    """
    for condition, settings in {run.condition: run.settings for run in runs}.items():
        training, num_examples = settings.training, len(datasets[settings.data].train_labels)
        num_steps = training.epochs * steps_per_epoch(num_examples, training.batch_size)
        for site, setting in settings.model.resolved().dropout.items():
            schedule = schedule_of(setting)
            most = num_steps - (schedule.shape in NEEDS_UNTIL)
            if schedule.unit == "steps" and schedule.until is not None and schedule.until > most:
                raise UsageError(
                    f"model.dropout.{site}.schedule.until of {condition}: {schedule.until:,} steps"
                    f" (allowed: at most {most:,} of the {num_steps:,} steps of the training)"
                )
