"""Engines that run training steps: Keras itself, or a faster equivalent of the published network on CPUs."""

import math
from collections.abc import Hashable, Sequence
from typing import Protocol

import keras

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.scaling import UNIT_PIXELS
from dropout_lab.models.network import Network
from dropout_lab.models.published import IMAGE_SHAPE
from dropout_lab.records import DeviceInfo, IntArray
from dropout_lab.spec import Settings
from dropout_lab.training.augmentation import Augmenter
from dropout_lab.training.engines.fast import FastEngine, unsupported_reason
from dropout_lab.training.engines.keras_engine import KerasEngine
from dropout_lab.training.engines.observation import DropoutObservation
from dropout_lab.training.engines.replicas import Replicas
from dropout_lab.training.engines.scheduled import ScheduledEngine
from dropout_lab.training.optimizers import learning_rates
from dropout_lab.training.rates import SiteRates
from dropout_lab.training.regularizers import Regularizers


class Engine(Protocol):
    """Trainer of a model's own variables, and of its optimizer's, in place.

    The state is in those variables and the engine's own alone, so a checkpoint of them is complete.
    """

    name: str

    @property
    def variables(self) -> Sequence[keras.Variable]:
        """Variables besides those of the model and the optimizer that steps change."""
        ...

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """Train on consecutive batches.

        Args:
            batches: (num_steps, batch_size) indices into the training set.
            first_step: Number of the first step, counted from 0 over the whole training.

        Returns:
            Sum of the losses of all examples, and number of examples classified correctly, with
            dropout on.
        """
        ...

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """Return what consecutive training steps keep and drop, without training.

        Args:
            first_step: Number of the first of them.

        Returns:
            An observation of each Dropout layer, from the input on.
        """
        ...


def choose_engine(settings: Settings, data: Dataset, device: DeviceInfo) -> tuple[str, str]:
    """Choose the engine: the fast one, unless ``stock`` is set or it does not support what is trained.

    Returns:
        Its name, and the reason if ``fast`` is set but not supported (else empty).
    """
    wanted = settings.training.engine
    if wanted == "stock":
        return "stock", ""
    reason = unsupported_reason(settings.model, settings.training, device.device) or _unsupported_data(data)
    if reason is None:
        return "fast", ""
    # On a GPU, stock layers are the fast path: with ``auto`` there is nothing to explain.
    return "stock", reason if wanted == "fast" else ""


def build_engine(
    name: str,
    settings: Settings,
    network: Network,
    optimizer: keras.optimizers.Optimizer,
    data: Dataset,
    run_seed: int,
    rates: SiteRates,
    *,
    replicas: Replicas | None = None,
    likeness: Hashable | None = None,
) -> Engine:
    """Build the engine `name`.

    Args:
        name: Name of the engine.
        settings: Settings of the condition.
        network: Network to train.
        optimizer: Built for its trainable variables.
        data: Examples to train on.
        run_seed: Seed of the run.
        rates: Rate of each site in each step.
        replicas: Copies of the network, which ``stock`` alone can train.
        likeness: See `Graphs`.

    Raises:
        UsageError: If the settings ask for what the network has no layers for.
    """
    training = settings.training
    inputs, labels = data.train_inputs, data.train_labels
    engine: Engine
    if name == "stock":
        changes = training.augmentation
        augmenter = Augmenter(changes, data.input_shape, run_seed) if changes is not None else None
        regularizers = Regularizers.of(training, network)
        engine = KerasEngine(
            network,
            optimizer,
            inputs,
            labels,
            data.scaling,
            regularizers,
            augmenter,
            rates,
            replicas,
            likeness,
        )
    else:
        # Every batch is filled up to this size.
        batch_size = min(training.batch_size, len(labels))
        engine = FastEngine(
            network.model, optimizer, settings.model, inputs, labels, run_seed, batch_size, rates
        )
    learning_rate = learning_rates(training, math.ceil(len(labels) / training.batch_size))
    return engine if learning_rate is None else ScheduledEngine(engine, optimizer, learning_rate)


def _unsupported_data(data: Dataset) -> str | None:
    """Return why `FastEngine` cannot train on `data`, or None if it can."""
    if data.input_shape != IMAGE_SHAPE:
        return f"the fast engine supports inputs of shape {IMAGE_SHAPE} only (received: {data.input_shape})"
    if data.scaling != UNIT_PIXELS or data.train_inputs.dtype != "uint8":
        return "the fast engine supports pixels of 0 to 255 that are scaled to [0, 1] only"
    return None
