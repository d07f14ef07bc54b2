"""The plots of evaluated runs, from what they logged."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from dropout_lab.api.test_images import read_test_images
from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import DropoutLabError, TrackingError
from dropout_lab.plotting.evaluation_plots import EvaluatedRun, evaluation_plots
from dropout_lab.records import RunRecord
from dropout_lab.runs.evaluation_artifacts import entropies_by_way
from dropout_lab.spec import DataSpec
from dropout_lab.tracking import load_predictions, load_test_probs

if TYPE_CHECKING:
    from dropout_lab.plotting import Plot

Arrays = dict[str, npt.NDArray[Any]]


def plots_of_runs(runs: Sequence[RunRecord], note: Callable[[str], None]) -> "tuple[Plot, ...]":
    """Return the plots of an evaluation of `runs`.

    Args:
        runs: Finished runs.
        note: Called with a message if something is left out.
    """
    return evaluation_plots(list(_evaluated(runs, note)))


def _evaluated(runs: Sequence[RunRecord], note: Callable[[str], None]) -> Iterator[EvaluatedRun]:
    """Yield what the plots show of each run; the first of a condition has its images."""
    datasets: dict[DataSpec, Dataset] = {}
    seen: set[str] = set()
    for run in runs:
        try:
            probs, labels = load_test_probs(run)
        except TrackingError as error:
            note(f"{run.run_name} is not drawn: {error.message}")
            continue
        images, class_names = None, run.class_names
        if run.condition not in seen:
            seen.add(run.condition)
            try:
                images, class_names = read_test_images(run, datasets)
            except DropoutLabError as error:
                note(f"{run.condition}: no plot of its images: {error.message}")
        sampled, outside = (_predictions(run, part) for part in ("monte_carlo", "out_of_distribution"))
        yield EvaluatedRun(
            condition=run.condition,
            labels=labels,
            probs=probs,
            monte_carlo=sampled.get("probs"),
            temperature=run.metrics.get("temperature"),
            outside=entropies_by_way(outside),
            metrics=run.metrics,
            images=images,
            class_names=class_names,
        )


def _predictions(run: RunRecord, part: str) -> Arrays:
    """Return the results per example of one part; none if the run has not got it."""
    try:
        return load_predictions(run, part)
    except TrackingError:
        return {}
