"""A trained network with its data: what the parts of an evaluation measure."""

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property

from dropout_lab.data.dataset import Dataset, Inputs
from dropout_lab.evaluation.uncertainty import MonteCarlo, entropy
from dropout_lab.models.network import Network
from dropout_lab.models.weighted_pooling import weighted_pooling_model
from dropout_lab.records import FloatArray
from dropout_lab.training.devices import computing_on
from dropout_lab.training.monte_carlo import MonteCarloPredictor
from dropout_lab.training.prediction import Predictor


class TrainedNetwork:
    """A trained network with its data.

    Args:
        network: The network, with its final weights and rates.
        data: The examples of its run.
        run_seed: Seed of its run, from which the masks of Monte Carlo dropout follow.
        device: Device to compute on, as TensorFlow names it.

    Attributes:
        data: The examples of its run.
    """

    def __init__(self, network: Network, data: Dataset, run_seed: int, device: str) -> None:
        self.data = data
        self._network = network
        self._device = device
        self._test_monte_carlo: dict[int, MonteCarlo] = {}
        self._predictor = Predictor(network, data)
        self._monte_carlo = MonteCarloPredictor(network, data.scaling, run_seed)

    def probs(self, inputs: Inputs) -> FloatArray:
        """Return class probabilities with dropout off.

        Args:
            inputs: (num_examples, *input_shape) stored values, of the type of the dataset's.

        Returns:
            (num_examples, num_classes).
        """
        with self._on_device():
            return self._predictor.probs(inputs)

    def monte_carlo(self, inputs: Inputs, num_samples: int) -> MonteCarlo:
        """Return the summary of `num_samples` predictions with dropout on; without dropout, of any one.

        Args:
            inputs: (num_examples, *input_shape) stored values, of the type of the dataset's.
            num_samples: Number of samples, each with its own masks.
        """
        if not self._monte_carlo.has_dropout:
            probs = self.probs(inputs)
            return MonteCarlo(probs, entropy(probs))
        with self._on_device():
            return self._monte_carlo.predict(inputs, num_samples)

    def test_monte_carlo(self, num_samples: int) -> MonteCarlo:
        """Return `monte_carlo` of the test examples, computed once."""
        if num_samples not in self._test_monte_carlo:
            self._test_monte_carlo[num_samples] = self.monte_carlo(self.data.test_inputs, num_samples)
        return self._test_monte_carlo[num_samples]

    def weighted_pooling_probs(self, inputs: Inputs) -> FloatArray:
        """Return class probabilities by probabilistic weighted pooling, as `probs` does by weight scaling.

        Raises:
            UsageError: If the network has no standard dropout right before max-pooling.
        """
        with self._on_device():
            pooled = replace(self._network, model=weighted_pooling_model(self._network))
            return Predictor(pooled, self.data).probs(inputs)

    @cached_property
    def test_probs(self) -> FloatArray:
        """Class probabilities of the test examples, dropout off, (num_test, num_classes)."""
        return self.probs(self.data.test_inputs)

    @cached_property
    def validation_probs(self) -> FloatArray | None:
        """Class probabilities of the validation examples, dropout off; None if they are the test examples."""
        if self.data.validation_inputs is self.data.test_inputs:
            return None
        return self.probs(self.data.validation_inputs)

    def _on_device(self) -> AbstractContextManager[None]:
        return computing_on(self._device, self._device, "Free memory and repeat the command.")
