"""All plots of an evaluation, each with its caption and alternative text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.evaluation.selective import risk_coverage
from dropout_lab.evaluation.temperature import scale_by_temperature
from dropout_lab.evaluation.uncertainty import entropy
from dropout_lab.plotting import entropy_histogram as entropies
from dropout_lab.plotting import reliability, severity
from dropout_lab.plotting import risk_coverage as risks
from dropout_lab.plotting import uncertain_images as uncertain
from dropout_lab.plotting.metric_axes import metric_label
from dropout_lab.plotting.plot import Plot

Array = npt.NDArray[Any]

PLAIN, MONTE_CARLO, TEMPERATURE = "dropout off", "Monte Carlo dropout", "temperature scaling"
"""Ways of prediction, as legends call them."""
TEST_SET = "test set"
SHIFT_MEASURES = ("accuracy", "loss", "ece")
"""Measures that are drawn against the severity of shifts."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedRun:
    """What the plots show of one run.

    Attributes:
        labels: True classes of the test set, (num_test,).
        probs: Class probabilities of the test set, dropout off, (num_test, num_classes).
        monte_carlo: The same as means over Monte Carlo samples; None if there are none.
        temperature: Temperature that was fitted; None if there is none.
        outside: For each way of prediction the predictive entropy, (n,), in nats, on each set of inputs from
            outside the distribution, by name.
        metrics: Metrics by name.
        images: Test images, (num_test, height, width, channels), stored values; None if inputs are none.
        class_names: Name of each class, by class number.
    """

    condition: str
    labels: Array
    probs: Array
    monte_carlo: Array | None = None
    temperature: float | None = None
    outside: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    images: Array | None = None
    class_names: Sequence[str] = ()

    @property
    def ways(self) -> dict[str, Array]:
        """Class probabilities of the test set by way of prediction."""
        found = {PLAIN: self.probs}
        if self.monte_carlo is not None:
            found[MONTE_CARLO] = self.monte_carlo
        if self.temperature is not None:
            found[TEMPERATURE] = scale_by_temperature(self.probs, self.temperature)
        return found


def evaluation_plots(runs: Sequence[EvaluatedRun]) -> tuple[Plot, ...]:
    """Return the plots that `runs` have the values for.

    Args:
        runs: Evaluated runs, in order; those of a condition are drawn together.
    """
    by_condition: dict[str, list[EvaluatedRun]] = {}
    for run in runs:
        by_condition.setdefault(run.condition, []).append(run)
    plots = list(
        severity_plots({name: [run.metrics for run in found] for name, found in by_condition.items()})
    )
    for condition, found in by_condition.items():
        own = [
            _reliability(found),
            _risk_coverage(found),
            *([entropy_plot] if (entropy_plot := _entropies(found)) else []),
            *([_uncertain_images(found[0], found[0].images)] if found[0].images is not None else []),
        ]
        plots += own if len(by_condition) == 1 else [_of_condition(plot, condition) for plot in own]
    return tuple(plots)


def _of_condition(plot: Plot, condition: str) -> Plot:
    """Return `plot` with the condition in its name and words."""
    return replace(
        plot,
        name=f"{plot.name}-{condition}",
        title=f"{plot.title}: {condition}",
        caption=f"{condition}. {plot.caption}",
        alt=f"{condition}. {plot.alt}",
    )


def severity_plots(metrics: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterator[Plot]:
    """Yield the plots of metrics on shifted images.

    Args:
        metrics: For each condition the metrics of its runs, by name.
    """
    for measure in SHIFT_MEASURES:
        data = severity.severity_curves(metrics, measure)
        if data is not None:
            label = metric_label(f"test_{measure}")
            yield Plot(
                name=f"shift_{measure}",
                title=f"Shifted images: {label}",
                caption=f"{label[0].upper()}{label[1:]} on test images that are changed more and more from"
                " severity 1 to 5, dropout off. Lines: means over the seeds; bands: lowest to highest seed.",
                alt=f"{label} by severity, from the lowest to the highest. {severity.describe(data)}.",
                draw=lambda theme, data=data: severity.draw_severity(data, theme),  # type: ignore[misc]
            )


def _ways(runs: Sequence[EvaluatedRun]) -> dict[str, list[tuple[Array, Array]]]:
    """Return the predictions and labels of each run by way of prediction."""
    found: dict[str, list[tuple[Array, Array]]] = {}
    for run in runs:
        for way, probs in run.ways.items():
            found.setdefault(way, []).append((probs, run.labels))
    return found


def _reliability(runs: Sequence[EvaluatedRun]) -> Plot:
    curves = reliability.named_curves(_ways(runs))
    words = reliability.describe(curves)
    return Plot(
        name="reliability",
        title="Reliability",
        caption=f"Accuracy minus confidence by way of prediction, in {reliability.NUM_BINS} bins by"
        f" confidence; bins of fewer than {reliability.MIN_IMAGES} images per run are left out. Below: share"
        " of each bin. Error: expected calibration error, mean over the seeds.",
        alt=f"Reliability diagram. {words}",
        draw=lambda theme: reliability.draw_reliability(curves, theme),
    )


def _risk_coverage(runs: Sequence[EvaluatedRun]) -> Plot:
    curves = risks.risk_coverage_curves(
        {way: [risk_coverage(*one)[1] for one in found] for way, found in _ways(runs).items()}
    )
    return Plot(
        name="risk_coverage",
        title="Risk and coverage",
        caption="Error rate on the most confident predictions by their share of the test set; confidence is"
        " the largest probability. Lines: means over the seeds; bands: lowest to highest seed. Low is good.",
        alt=f"Risk-coverage curves. {risks.describe(curves)}",
        draw=lambda theme: risks.draw_risk_coverage(curves, theme),
    )


def _entropies(runs: Sequence[EvaluatedRun]) -> Plot | None:
    by_way: dict[str, dict[str, list[Array]]] = {}
    for run in runs:
        for way, sets in run.outside.items():
            if way not in run.ways:
                continue
            all_sets = {TEST_SET: entropy(run.ways[way]), **sets}
            for name, values in all_sets.items():
                by_way.setdefault(way, {}).setdefault(name, []).append(values)
    if not by_way:
        return None
    joined = {
        way: {name: np.concatenate(values) for name, values in sets.items()} for way, sets in by_way.items()
    }
    data = entropies.entropy_histograms(joined, runs[0].probs.shape[1])
    return Plot(
        name="entropy",
        title="Predictive entropy",
        caption="Predictive entropy on the test set and on inputs from outside its distribution, all seeds"
        " together. The less the histograms overlap, the better such inputs are detected.",
        alt=f"Histograms of the predictive entropy. {entropies.describe(data)}",
        draw=lambda theme: entropies.draw_entropy_histograms(data, theme),
    )


def _uncertain_images(run: EvaluatedRun, images: Array) -> Plot:
    way = MONTE_CARLO if run.monte_carlo is not None else PLAIN
    probs = run.ways[way]
    names = run.class_names or [str(number) for number in range(probs.shape[1])]
    shown = uncertain.uncertain_images(images, run.labels, probs, entropy(probs), names)
    return Plot(
        name="uncertain_images",
        title="Most uncertain images",
        caption=f"Test images with the highest predictive entropy, {way}, first seed. Above: the true class.",
        alt=f"Test images with the highest predictive entropy. {uncertain.describe(shown)}.",
        draw=lambda theme: uncertain.draw_uncertain_images(shown, theme),
    )
