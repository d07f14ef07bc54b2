"""The plots of an evaluation that are kept with its run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from dropout_lab.evaluation.measures import measure

if TYPE_CHECKING:
    from dropout_lab.training.trained import TrainedNetwork

Arrays = Mapping[str, npt.NDArray[Any]]
FOLDER = "plots"
CONDITION = "this run"
OF_MONTE_CARLO = ("reliability", "risk_coverage", "uncertain_images")
"""Plots that are drawn with the samples; a later evaluation without them leaves them as they are."""


def entropies_by_way(arrays: Arrays) -> dict[str, Arrays]:
    """Return the predictive entropies on each set of inputs, by way of prediction.

    Args:
        arrays: ``SET`` and ``SET_mc``, as `training.robustness.detect` returns them.
    """
    from dropout_lab.plotting.evaluation_plots import MONTE_CARLO, PLAIN

    names = [name for name in arrays if f"{name}_mc" in arrays]
    ways = {PLAIN: "", MONTE_CARLO: "_mc"}
    return {way: {name: arrays[name + suffix] for name in names} for way, suffix in ways.items() if names}


def draw_evaluation(
    trained: "TrainedNetwork",
    num_samples: int,
    metrics: Mapping[str, float],
    arrays: Mapping[str, Arrays],
) -> dict[str, bytes]:
    """Return PNG plots of what was measured of a run, by artifact path. Drawing may raise anything.

    Args:
        trained: The network with its data.
        num_samples: Samples of Monte Carlo dropout that were taken.
        metrics: Metrics that were measured.
        arrays: Results per example, by part.
    """
    from dropout_lab.plotting.evaluation_plots import EvaluatedRun, evaluation_plots
    from dropout_lab.plotting.style import LIGHT, render

    if not arrays and not any(name.startswith("shift_") for name in metrics):
        return {}
    data = trained.data
    sampled = "monte_carlo" in arrays
    own = measure(trained.test_probs, data.test_labels)
    run = EvaluatedRun(
        condition=CONDITION,
        labels=data.test_labels,
        probs=trained.test_probs,
        monte_carlo=trained.test_monte_carlo(num_samples).probs if arrays else None,
        temperature=metrics.get("temperature"),
        outside=entropies_by_way(arrays.get("out_of_distribution", {})),
        metrics={**{f"test_{name}": value for name, value in own.items()}, **metrics},
        images=data.test_inputs if data.test_inputs.ndim == 4 else None,
        class_names=data.class_names,
    )
    return {
        f"{FOLDER}/{plot.name}.png": render(plot.draw(LIGHT), "png")
        for plot in evaluation_plots([run])
        if sampled or plot.name not in OF_MONTE_CARLO
    }
