"""Detection of inputs from outside the distribution of the test set, by a score of uncertainty."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def auroc(inside: Array, outside: Array) -> float:
    """Return the area under the ROC curve of telling inputs from `outside` by their higher uncertainty.

    It is the probability that an input from outside is more uncertain than one from inside; ties count half.

    Args:
        inside: Uncertainty of the test examples, (n,).
        outside: Uncertainty of the inputs from outside, (m,).

    Source: Hendrycks & Gimpel 2017, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples
    in Neural Networks", section 2.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(*_labeled(inside, outside)))


def fpr_at_95_tpr(inside: Array, outside: Array) -> float:
    """Return the fraction of `outside` that is accepted where at least 95% of `inside` are.

    An input is accepted if its uncertainty is at most a threshold: the smallest that accepts as many.

    Args:
        inside: Uncertainty of the test examples, (n,).
        outside: Uncertainty of the inputs from outside, (m,).

    Source: Liang, Li & Srikant 2018, "Enhancing the Reliability of Out-of-Distribution Image Detection in
    Neural Networks", section 4.3.
    """
    num_accepted = -(-95 * len(inside) // 100)
    threshold = np.sort(inside)[num_accepted - 1]
    return float(np.mean(outside <= threshold))


def _labeled(inside: Array, outside: Array) -> tuple[Array, Array]:
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    return labels, np.concatenate([inside, outside]).astype(np.float64)
