"""A network with its fast engine and a float64 reference under the same masks."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.models.published import build_model
from dropout_lab.spec import ModelSpec
from dropout_lab.training.engines.fast import FastEngine
from dropout_lab.training.engines.masks import keep_mask, keep_scale
from dropout_lab.training.rates import SiteRates

RUN_SEED = 3
STEP = 7

ROUNDING = (3e-7, 1.5e-6, 1e-5)
"""Distances between activations of each layer (around 1) that rounding in float32 does not reach."""

EQUAL = 1e-12
"""Smaller distances in the reference are those of equal windows of the image, where it does not matter which
element passes the gradient on."""


@tf.custom_gradient
def in_bfloat16(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Round a value to bfloat16, and its gradient too."""

    def rounded(y: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.cast(y, tf.bfloat16), y.dtype)

    return rounded(x), rounded


class Setup:
    """A network with biases that are not zero, its optimizer, its fast engine and the reference.

    With the precision mixed_bfloat16 the reference rounds the same values to bfloat16 as the engine does.
    """

    step = STEP

    def __init__(
        self,
        data: Dataset,
        *,
        batch_size: int = 20,
        precision: str = "float32",
        rates: Mapping[str, Any] = MappingProxyType({}),
        **model: Any,
    ) -> None:
        self.spec = ModelSpec.model_validate(model)
        self.data = data
        self.round = in_bfloat16 if precision == "mixed_bfloat16" else tf.identity
        keras.config.set_dtype_policy(precision)
        try:
            self.model = build_model(self.spec, RUN_SEED)
        finally:
            keras.config.set_dtype_policy("float32")
        random = np.random.default_rng(0)
        for bias in self.model.trainable_variables[1::2]:
            bias.assign(random.normal(0, 0.1, bias.shape))
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.model.trainable_variables)
        self.engine = FastEngine(
            self.model,
            self.optimizer,
            self.spec,
            data.train_inputs,
            data.train_labels,
            RUN_SEED,
            batch_size,
            SiteRates(full={layer.name: layer.rate for layer in dropout_layers(self.model)}, **rates),
        )

    def masks(self, num_examples: int, step: int = STEP) -> list[np.ndarray]:
        """The masks of the fast engine, as the generator defines them."""
        before_pooling = self.spec.dropout_position == "before_pooling"
        return [
            keep_mask(
                RUN_SEED,
                layer.name,
                layer.rate,
                step,
                (num_examples, *layer.input.shape[1:]),
                before_pooling=before_pooling and len(layer.input.shape) == 4,
            )
            for layer in dropout_layers(self.model)
        ]

    def batch(self, size: int, step: int = STEP) -> np.ndarray:
        """A batch without ties in the reference, under the masks of `step`."""
        weights = self.weights64()
        candidates = np.random.default_rng(step).permutation(len(self.data.train_labels))
        batch = candidates[np.arange(size) % len(candidates)]
        for attempt in range(1, 40):
            tied = self.forward64(weights, batch, step)[1]
            if not tied.any():
                return batch
            batch[tied] = np.roll(candidates, attempt)[np.flatnonzero(tied) % len(candidates)]
        raise AssertionError("every batch has ties")

    def weights64(self) -> list[tf.Tensor]:
        return [tf.constant(v.numpy(), tf.float64) for v in self.model.trainable_variables]

    def reference(self, batch: np.ndarray, step: int = STEP) -> tuple[float, list[np.ndarray]]:
        """Mean loss and its gradients in float64."""
        weights = self.weights64()
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss, _ = self.forward64(weights, batch, step)
        return float(loss), [g.numpy() for g in tape.gradient(loss, weights)]

    def forward64(
        self, weights: list[tf.Tensor], batch: np.ndarray, step: int
    ) -> tuple[tf.Tensor, np.ndarray]:
        """Mean loss and which examples have ties."""
        scales = [keep_scale(layer.rate) for layer in dropout_layers(self.model)]
        masks = [tf.constant(mask, tf.float64) for mask in self.masks(len(batch), step)]
        before_pooling = self.spec.dropout_position == "before_pooling"
        tied = np.zeros(len(batch), bool)

        def note(distance: tf.Tensor, rounding: float) -> None:
            close = (distance.numpy() > EQUAL) & (distance.numpy() < rounding)
            tied[:] |= close.reshape(len(batch), -1).any(axis=1)

        def find_ties(h: tf.Tensor, kept: tf.Tensor, rounding: float) -> None:
            n, height, width, channels = h.shape
            competing = tf.where(kept > 0, h, -1.0)
            windows = tf.reshape(competing, (n, height // 2, 2, width // 2, 2, channels))
            windows = tf.reshape(tf.transpose(windows, (0, 1, 3, 5, 2, 4)), (n, -1, 4))
            first, second = tf.unstack(tf.sort(windows, axis=-1, direction="DESCENDING")[..., :2], axis=-1)
            note(tf.where(first > 0, first - second, 1.0), rounding)
            note(tf.abs(first), rounding)

        def convolve(h: tf.Tensor, layer: int) -> tf.Tensor:
            # The first convolution's own result is never rounded, because it is never stored.
            inputs, kernel = (self.round(h), self.round(weights[2])) if layer else (h, weights[0])
            h = tf.nn.conv2d(inputs, kernel, 1, "SAME")
            h = (self.round(h) if layer else h) + weights[2 * layer + 1]
            mask = masks[layer] * scales[layer]
            find_ties(h, mask if before_pooling else tf.ones_like(h), ROUNDING[layer])
            h = tf.nn.relu(h) * mask if before_pooling else tf.nn.relu(h)
            h = tf.nn.max_pool2d(h, 2, 2, "VALID")
            return h if before_pooling else h * mask

        h = convolve(convolve(tf.constant(self.data.train_inputs[batch] / 255), 0), 1)
        h = self.round(self.round(tf.reshape(h, (len(batch), -1))) @ self.round(weights[4])) + weights[5]
        note(tf.abs(h), ROUNDING[2])
        h = tf.nn.relu(h) * masks[2] * scales[2]
        labels = self.data.train_labels[batch].astype(np.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, h @ weights[6] + weights[7])
        return tf.reduce_mean(losses), tied

    def stock_gradients(self, batch: np.ndarray, step: int = STEP) -> tuple[float, list[np.ndarray]]:
        """Mean loss and its gradients by the model's own layers in float32, under the same masks."""
        masks = iter(self.masks(len(batch), step))
        h = tf.constant(self.data.train_inputs[batch], tf.float32) / 255.0
        with tf.GradientTape() as tape:
            for layer in self.model.layers:
                is_dropout = isinstance(layer, keras.layers.Dropout)
                h = h * next(masks) * keep_scale(layer.rate) if is_dropout else layer(h)
            labels = self.data.train_labels[batch].astype(np.int32)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, h))
        gradients = tape.gradient(loss, [v.value for v in self.model.trainable_variables])
        return float(loss), [g.numpy() for g in gradients]

    def variables(self) -> list[keras.Variable]:
        return [*self.model.trainable_variables, *self.optimizer.variables]

    def state(self) -> list[np.ndarray]:
        return [v.numpy() for v in self.variables()]

    @staticmethod
    def errors(gradients: list[np.ndarray], expected: list[np.ndarray]) -> list[float]:
        """Relative errors."""
        return [
            float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(gradients, expected, strict=True)
        ]


@pytest.fixture
def setup(dataset: Dataset) -> Callable[..., Setup]:
    return lambda **options: Setup(options.pop("data", dataset), **options)
