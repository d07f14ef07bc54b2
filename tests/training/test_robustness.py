import numpy as np
import pytest

from dropout_lab.data.out_of_distribution import out_of_distribution
from dropout_lab.data.shifts import shift_images
from dropout_lab.errors import DataError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.evaluation.registry import METRICS, Measured
from dropout_lab.evaluation.robustness import SCORES, SEVERITIES, SHIFT_MEASURES, SHIFT_NAMES
from dropout_lab.evaluation.uncertainty import MonteCarlo
from dropout_lab.training.robustness import detection_metrics, shift_metrics, uncertainty_scores

RANDOM = np.random.default_rng(0)
IMAGES = np.zeros((120, 8, 8, 1), dtype=np.float32)
IMAGES[:, :4] = RANDOM.random((120, 1, 1, 1))
IMAGES[:, 4:] = RANDOM.random((120, 1, 1, 1))
LABELS = (IMAGES[:, 0, 0, 0] > IMAGES[:, 7, 0, 0]).astype(np.int64)


def predict(images: np.ndarray) -> np.ndarray:
    """Whether the upper half is brighter than the lower one: a classifier that is right without shift."""
    probs = 1 / (1 + np.exp(-20 * (images[:, :4].mean((1, 2, 3)) - images[:, 4:].mean((1, 2, 3)))))
    return np.stack([1 - probs, probs], axis=1).astype(np.float32)


def test_each_shift_is_measured_at_each_severity_with_means_over_both():
    metrics = shift_metrics(predict, IMAGES, LABELS, SHIFT_NAMES)
    assert len(metrics) == len(SHIFT_MEASURES) * (1 + len(SHIFT_NAMES) * (1 + len(SEVERITIES)))
    predicted = predict(shift_images(IMAGES, "rotation", 4)).argmax(axis=1)
    assert metrics["shift_accuracy_rotation_4"] == np.mean(predicted == LABELS)
    by_severity = [metrics[f"shift_accuracy_rotation_{severity}"] for severity in SEVERITIES]
    assert metrics["shift_accuracy_rotation"] == pytest.approx(sum(by_severity) / 5)
    by_shift = [metrics[f"shift_loss_{name}"] for name in SHIFT_NAMES]
    assert metrics["shift_loss"] == pytest.approx(sum(by_shift) / 5)
    # Less contrast changes no order of the halves, but what the classifier makes of their distance.
    assert metrics["shift_accuracy_contrast"] == 1
    assert metrics["shift_loss_contrast_5"] > metrics["shift_loss_contrast_1"]


def test_some_shifts_have_no_mean_over_all():
    metrics = shift_metrics(predict, IMAGES, LABELS, ["noise"])
    assert "shift_accuracy_noise" in metrics
    assert "shift_accuracy" not in metrics


def test_inputs_that_are_no_images_are_refused():
    with pytest.raises(DataError, match="no images"):
        shift_metrics(predict, IMAGES[..., 0], LABELS, ["noise"])


def scores(images: np.ndarray) -> dict[str, np.ndarray]:
    samples = np.stack([predict(images + shift) for shift in (np.zeros_like(images), images / 10)])
    return dict(uncertainty_scores(predict(images), MonteCarlo.of_samples(samples)))


def test_detection_has_a_value_for_each_score_and_set():
    names = ("uniform", "inverted_test")
    outside = {name: scores(out_of_distribution(IMAGES, name)) for name in names}
    metrics = detection_metrics(scores(IMAGES), outside, all_sets=True)
    assert len(metrics) == len(SCORES) * 2 * 3
    # Halves of noise are as bright as each other, and the classifier is unsure of them.
    assert metrics["ood_auroc_uniform"] > 0.8
    # Two classes: the entropy rises with 1 minus the largest probability.
    assert metrics["ood_entropy_auroc_uniform"] == pytest.approx(metrics["ood_auroc_uniform"], abs=1e-3)
    # An inverted image has the same distance between its halves.
    assert metrics["ood_auroc_inverted_test"] == pytest.approx(0.5, abs=0.02)
    both = [metrics[f"mc_ood_fpr95_{name}"] for name in names]
    assert metrics["mc_ood_fpr95"] == pytest.approx(sum(both) / 2)
    some = detection_metrics(scores(IMAGES), outside, all_sets=False)
    assert some == {key: value for key, value in metrics.items() if key not in METRICS}


def test_the_registry_knows_every_metric():
    outside = {"uniform": scores(out_of_distribution(IMAGES, "uniform"))}
    metrics = {
        **shift_metrics(predict, IMAGES, LABELS, SHIFT_NAMES),
        **detection_metrics(scores(IMAGES), outside, all_sets=True),
    }
    for name in metrics:
        info = metric_info(name)
        assert (info.name, info.measured) == (name, Measured.EVALUATED)
        assert info.margin
        assert info.higher_is_better is ("accuracy" in name or "auroc" in name)
        assert info.definition.endswith(".")
