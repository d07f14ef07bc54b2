"""What refuses planned runs before any of them starts: checks of their settings against the data."""

from collections.abc import Mapping, Sequence

from dropout_lab.data.dataset import Dataset
from dropout_lab.runs.evaluation_checks import check_evaluation
from dropout_lab.runs.images import check_images
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.schedules import check_cutoffs
from dropout_lab.spec import DataSpec


def check_runs(runs: Sequence[PlannedRun], datasets: Mapping[DataSpec, Dataset]) -> None:
    """Check that the settings of `runs` fit their data; starts no TensorFlow.

    `resolve_networks` checks, besides, what needs the networks.

    Args:
        runs: Planned runs.
        datasets: Examples by the data settings that choose them.

    Raises:
        DataError: If an evaluation needs images, and the inputs are none.
        UsageError: If images are changed that are none, a schedule changes after the last step, or an
            evaluation has nothing from outside the distribution.
    """
    check_images((run.settings for run in runs), {spec: data.input_shape for spec, data in datasets.items()})
    check_cutoffs(runs, datasets)
    for run in runs:
        check_evaluation(run.evaluation, datasets[run.settings.data])
