import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from dropout_lab.evaluation.detection import auroc, fpr_at_95_tpr

RANDOM = np.random.default_rng(0)


def test_auroc_counts_pairs():
    inside, outside = np.array([0.1, 0.2, 0.2, 0.7]), np.array([0.2, 0.5, 0.9])
    pairs = list(itertools.product(inside, outside))
    by_hand = sum((o > i) + 0.5 * (o == i) for i, o in pairs) / len(pairs)
    assert by_hand == 9 / 12
    assert auroc(inside, outside) == pytest.approx(by_hand)


@pytest.mark.parametrize("digits", [1, 8], ids=["with ties", "without ties"])
def test_both_agree_with_scikit_learn(digits):
    inside = RANDOM.normal(0, 1, 400).round(digits)
    outside = RANDOM.normal(1, 1, 300).round(digits)
    # In scikit-learn's terms the test set is the positive class, and its score is certainty.
    labels, certainty = np.repeat([1, 0], [400, 300]), -np.concatenate([inside, outside])
    assert auroc(inside, outside) == pytest.approx(roc_auc_score(labels, certainty))
    fpr, tpr, _ = roc_curve(labels, certainty, drop_intermediate=False)
    assert fpr_at_95_tpr(inside, outside) == pytest.approx(fpr[tpr >= 0.95].min())


def test_perfect_and_useless_scores():
    low, high = np.arange(20.0), np.arange(20.0) + 100
    assert (auroc(low, high), fpr_at_95_tpr(low, high)) == (1, 0)
    assert (auroc(high, low), fpr_at_95_tpr(high, low)) == (0, 1)
    same = np.zeros(30)
    assert (auroc(same, same), fpr_at_95_tpr(same, same)) == (0.5, 1)


def test_nineteen_of_twenty_are_accepted():
    inside = np.arange(20.0)  # the threshold is 18
    assert fpr_at_95_tpr(inside, np.array([17.0, 18.0, 18.5, 30.0])) == 2 / 4
