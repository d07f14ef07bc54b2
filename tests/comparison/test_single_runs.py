import math

import numpy as np
import pytest

from dropout_lab.comparison.single_runs import compare_single_runs
from dropout_lab.errors import UsageError

LABELS = np.repeat(np.arange(10), 20).astype(np.uint8)


def predict(num_wrong: int, confidence: float = 0.9, first_wrong: int = 0) -> np.ndarray:
    """Return probabilities that put `confidence` on the label, but for `num_wrong` examples."""
    probs = np.full((200, 10), (1 - confidence) / 9)
    predicted = LABELS.astype(int).copy()
    wrong = slice(first_wrong, first_wrong + num_wrong)
    predicted[wrong] = (predicted[wrong] + 1) % 10
    probs[np.arange(200), predicted] = confidence
    return probs.astype(np.float16)


def test_mcnemar_is_the_binomial_of_the_discordant_examples() -> None:
    # The condition errs on examples 0 to 9, the reference on 8 to 29: 8 lost, 20 gained.
    found = compare_single_runs(
        "dropout", "baseline", probs=predict(10), reference_probs=predict(22, first_wrong=8), labels=LABELS
    )
    tail = sum(math.comb(28, k) for k in range(8 + 1)) / 2**28
    assert (found.only_condition_right, found.only_reference_right) == (20, 8)
    assert found.p_value == pytest.approx(2 * tail)
    assert found.accuracy_difference == pytest.approx((20 - 8) / 200)
    right, wrong = -math.log(np.float16(0.9)), -math.log(np.float16(0.1 / 9))
    assert found.loss_difference == pytest.approx((10 - 22) * (wrong - right) / 200)
    assert found.num_examples == 200
    assert "not the methods" in found.sentence


def test_intervals_are_those_of_the_mean_over_examples() -> None:
    found = compare_single_runs(
        "dropout", "baseline", probs=predict(10), reference_probs=predict(22, first_wrong=8), labels=LABELS
    )
    mean = 12 / 200
    standard_error = math.sqrt((28 / 200 - mean**2) / 200)
    expected = (mean - 1.96 * standard_error, mean + 1.96 * standard_error)
    assert found.accuracy_ci == pytest.approx(expected, abs=0.006)
    assert found.loss_ci[0] < found.loss_difference < found.loss_ci[1]
    again = compare_single_runs(
        "dropout", "baseline", probs=predict(10), reference_probs=predict(22, first_wrong=8), labels=LABELS
    )
    assert again == found


def test_swapping_the_models_flips_the_signs() -> None:
    sides = {"probs": predict(10), "reference_probs": predict(22, first_wrong=8)}
    forth = compare_single_runs("a", "b", labels=LABELS, **sides)
    sides = {"probs": sides["reference_probs"], "reference_probs": sides["probs"]}
    back = compare_single_runs("b", "a", labels=LABELS, **sides)
    assert back.accuracy_difference == -forth.accuracy_difference
    assert back.loss_difference == pytest.approx(-forth.loss_difference)
    assert back.p_value == forth.p_value


def test_one_model_twice_differs_by_nothing() -> None:
    found = compare_single_runs("a", "b", probs=predict(5), reference_probs=predict(5), labels=LABELS)
    assert found.p_value == 1
    assert found.accuracy_difference == found.loss_difference == 0
    assert found.accuracy_ci == found.loss_ci == (0, 0)


def test_a_logged_zero_is_no_infinite_loss() -> None:
    probs = np.eye(10, dtype=np.float16)[(LABELS + 1) % 10]
    found = compare_single_runs("a", "b", probs=probs, reference_probs=predict(0), labels=LABELS)
    assert found.loss_difference == pytest.approx(24 * math.log(2) + math.log(np.float16(0.9)))


def test_predictions_for_other_examples_are_refused() -> None:
    with pytest.raises(UsageError, match="same test examples"):
        compare_single_runs("a", "b", probs=predict(0)[:100], reference_probs=predict(0), labels=LABELS)
    with pytest.raises(UsageError, match="same test examples"):
        compare_single_runs("a", "b", probs=predict(0), reference_probs=predict(0), labels=LABELS[:100])
