"""Uncertainty of Monte Carlo dropout.

Sources: Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016; the mutual information of the
class and the weights: Houlsby et al., "Bayesian Active Learning for Classification and Preference Learning",
2011 (arXiv 1112.5745), equation 2.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class MonteCarlo:
    """What several predictions with dropout on say about each example.

    Attributes:
        probs: Class probabilities averaged over the samples, (num_examples, num_classes).
        sample_entropy: Entropy of the class probabilities averaged over the samples, (num_examples,), in
            nats.
    """

    probs: Floats
    sample_entropy: Floats

    @classmethod
    def of_samples(cls, samples: Floats) -> Self:
        """Return the summary of class probabilities, (num_samples, num_examples, num_classes)."""
        return cls(np.mean(samples, axis=0), np.mean([entropy(probs) for probs in samples], axis=0))

    @property
    def entropy(self) -> Floats:
        """Predictive entropy: that of the averaged probabilities, (num_examples,), in nats."""
        return entropy(self.probs)

    @property
    def mutual_information(self) -> Floats:
        """Mutual information of the class and the dropout masks, (num_examples,), in nats.

        It is the predictive entropy minus the mean entropy of the samples: 0 where all samples agree.
        """
        return np.maximum(self.entropy - self.sample_entropy, 0)


def entropy(probs: Floats) -> Floats:
    """Return the entropy of class probabilities.

    Args:
        probs: (num_examples, num_classes).

    Returns:
        (num_examples,), in nats: 0 to log(num_classes).
    """
    exact = probs.astype(np.float64)
    logs = np.log(exact, out=np.zeros_like(exact), where=exact > 0)
    found: Floats = np.maximum(-np.sum(exact * logs, axis=1), 0)
    return found
