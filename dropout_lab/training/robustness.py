"""How a trained network does on shifted test images and on inputs from outside the distribution."""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from dropout_lab.data.dataset import Inputs, Labels
from dropout_lab.data.out_of_distribution import OUT_OF_DISTRIBUTION, out_of_distribution
from dropout_lab.data.shifts import shift_images
from dropout_lab.evaluation.detection import auroc, fpr_at_95_tpr
from dropout_lab.evaluation.measures import measure
from dropout_lab.evaluation.robustness import SET_NAMES, SEVERITIES, SHIFT_MEASURES, SHIFT_NAMES
from dropout_lab.evaluation.uncertainty import MonteCarlo, entropy
from dropout_lab.records import FloatArray
from dropout_lab.training.trained import TrainedNetwork

Scores = Mapping[str, npt.NDArray[np.floating]]
"""Uncertainty of each input, (n,), by the name of the score; see `evaluation.robustness.SCORES`."""


def shift_metrics(
    predict: Callable[[Inputs], FloatArray], images: Inputs, labels: Labels, names: Iterable[str]
) -> dict[str, float]:
    """Return the metrics on shifted images, by name.

    The images are the same in all runs on a dataset, as with a benchmark.

    Args:
        predict: Returns class probabilities, (n, num_classes), of stored values.
        images: Test images, (n, height, width, channels), stored values.
        labels: True classes, (n,).
        names: Shifts to measure.

    Returns:
        ``shift_MEASURE_NAME_SEVERITY`` and the mean over severities, ``shift_MEASURE_NAME``; with all shifts
        also the mean over these, ``shift_MEASURE``.

    Raises:
        DataError: If the inputs are no images.
    """
    metrics: dict[str, float] = {}
    names = tuple(names)
    for name in names:
        by_severity = {
            severity: measure(predict(shift_images(images, name, severity)), labels, SHIFT_MEASURES)
            for severity in SEVERITIES
        }
        for one in SHIFT_MEASURES:
            values = {severity: measured[one] for severity, measured in by_severity.items()}
            metrics |= {f"shift_{one}_{name}_{severity}": value for severity, value in values.items()}
            metrics[f"shift_{one}_{name}"] = float(np.mean(list(values.values())))
    if set(names) == set(SHIFT_NAMES):
        for one in SHIFT_MEASURES:
            metrics[f"shift_{one}"] = float(np.mean([metrics[f"shift_{one}_{name}"] for name in names]))
    return metrics


def uncertainty_scores(probs: FloatArray, monte_carlo: MonteCarlo) -> Scores:
    """Return every score of uncertainty.

    Args:
        probs: Class probabilities with dropout off, (n, num_classes).
        monte_carlo: Predictions of the same inputs with dropout on.
    """
    return {
        "ood": 1 - probs.max(axis=1),
        "ood_entropy": entropy(probs),
        "mc_ood": 1 - monte_carlo.probs.max(axis=1),
        "mc_ood_entropy": monte_carlo.entropy,
        "mc_ood_mutual_information": monte_carlo.mutual_information,
    }


def detect(
    trained: TrainedNetwork, names: Collection[str], num_samples: int
) -> tuple[dict[str, float], dict[str, npt.NDArray[np.float16]], tuple[str, ...]]:
    """Measure how well a trained network tells inputs from outside the distribution.

    Args:
        trained: The network with its data.
        names: Sets of inputs. Those with the classes of the dataset are left out.
        num_samples: Samples of Monte Carlo dropout.

    Returns:
        metrics: See `detection_metrics`; means over sets if `names` are all.
        entropies: Predictive entropy of each input in nats, (n,), as ``SET`` with dropout off, and as
            ``SET_mc`` of the mean over Monte Carlo dropout.
        notes: What was left out.

    Raises:
        DataError: If the inputs are no images.
    """
    data = trained.data
    same = [name for name in names if data.fingerprint.name in OUT_OF_DISTRIBUTION[name].in_distribution_for]
    outside: dict[str, Scores] = {}
    for name in names:
        if name not in same:
            inputs = out_of_distribution(data.test_inputs, name)
            scores = uncertainty_scores(trained.probs(inputs), trained.monte_carlo(inputs, num_samples))
            outside[name] = scores
    test = uncertainty_scores(trained.test_probs, trained.test_monte_carlo(num_samples))
    metrics = detection_metrics(test, outside, all_sets=set(names) == set(SET_NAMES))
    entropies = {
        f"{name}{suffix}": scores[score].astype(np.float16)
        for name, scores in outside.items()
        for suffix, score in (("", "ood_entropy"), ("_mc", "mc_ood_entropy"))
    }
    notes = (
        f"Not out of distribution, since {data.fingerprint.name} has the same classes: {name}."
        for name in same
    )
    return metrics, entropies, tuple(notes)


def detection_metrics(test: Scores, outside: Mapping[str, Scores], *, all_sets: bool) -> dict[str, float]:
    """Return how well each score tells inputs from outside the distribution, by name of the metric.

    Args:
        test: Scores of the test examples.
        outside: Scores of the inputs of each set.
        all_sets: Whether these are all sets that apply; then means over them are added.

    Returns:
        ``SCORE_auroc_SET`` and ``SCORE_fpr95_SET``; with all sets also ``SCORE_auroc`` and ``SCORE_fpr95``.
    """
    metrics: dict[str, float] = {}
    for score, inside in test.items():
        for short, function in (("auroc", auroc), ("fpr95", fpr_at_95_tpr)):
            values = {name: function(inside, scores[score]) for name, scores in outside.items()}
            metrics |= {f"{score}_{short}_{name}": value for name, value in values.items()}
            if all_sets and values:
                metrics[f"{score}_{short}"] = float(np.mean(list(values.values())))
    return metrics
