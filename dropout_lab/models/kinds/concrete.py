"""Concrete dropout: a rate that is learned."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer

EPSILON = 1e-7
"""What the authors' code adds to the uniform numbers before their logarithm."""


@keras.saving.register_keras_serializable("dropout_lab")
class ConcreteDropout(DropoutLayer):
    """Dropout whose rate p is trained with the weights, through a continuous mask.

    With u uniform in [0, 1] the outputs are x (1 - z) / (1 - p), where

        z = sigmoid((log(p / (1 - p)) + log(u / (1 - u))) / t)

    is close to 0 or 1 at a low temperature t. Inputs with more than two dimensions lose whole feature maps,
    as in the authors' layer for convolutions. The loss of the model gets the terms of the paper's objective
    (equations 2 to 4, divided by the N training examples), for a loss that is a mean negative
    log-likelihood such as cross-entropy:

        K / N (p log p + (1 - p) log(1 - p)), with K inputs of the next layer: units or feature maps;
        l^2 / (2 N (1 - p)) ||W||^2, with the kernel W of the next layer and the prior length scale l.

    The first is always there, the second only for a layer given to `regularize`. W is the kernel that takes
    scaled inputs: the paper's M times 1 - p, which turns the paper's factor 1 - p into 1 / (1 - p). The
    authors' code has twice both terms, for squared errors, which are twice a negative log-likelihood.

    Use it to let the data choose the rate, and to report the rate as a result: it falls with the number of
    training examples and rises with their noise. It also shows which layers are worth dropping from.

    Args:
        rate: The initial rate, in [0, 1). 0 makes a layer that returns its inputs and learns nothing.
        seed: Seed of the masks. None draws one.
        num_examples: Number N of training examples.
        length_scale: Prior length scale l; by default that of the authors' code.
        temperature: Temperature t, above 0; by default that of the paper.
        **kwargs: Other arguments of the layer, such as `name` and `dtype`.

    Attributes:
        logit: The trained variable log(p / (1 - p)), once the layer is built; None if `rate` is 0.
        rank: Number of dimensions of the inputs, with the batch, once the layer is built.

    Call arguments:
        inputs: (batch, ...) tensor.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with their mean to within 0.5% at t = 0.1.

    Raises:
        ValueError: If an argument is invalid, or the rate shall be variable in another way than by training.

    Reference:
        Gal, Hron and Kendall, "Concrete Dropout", NeurIPS 2017, arXiv 1705.07832, equations 2 to 5, and
        the authors' code, github.com/yaringal/ConcreteDropout.
    """

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        num_examples: int,
        length_scale: float = 1e-4,
        temperature: float = 0.1,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("variable_rate"):
            raise ValueError("The rate of concrete dropout is learned. Received: variable_rate=True")
        super().__init__(rate, seed, **kwargs)
        self.num_examples = _positive("num_examples", num_examples)
        self.length_scale = _positive("length_scale", length_scale)
        self.temperature = _positive("temperature", temperature)
        self.logit: Any = None
        self.rank = 0
        self.next_kernel: Callable[[], Any] | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the variable of the rate."""
        num_inputs, self.rank = input_shape[-1], len(input_shape)
        if num_inputs is None:
            raise ValueError(
                "Concrete dropout counts the units or feature maps of its inputs. Expected a known last "
                f"dimension. Received: input_shape={tuple(input_shape)}"
            )
        if self.rate > 0:
            self.logit = self.add_weight(
                name="logit",
                shape=(),
                initializer=keras.initializers.Constant(math.log(self.rate / (1 - self.rate))),
                regularizer=_Penalty(self, num_inputs),
                dtype="float32",
                autocast=False,
            )

    def regularize(self, layer: keras.layers.Layer) -> None:
        """Add the term of the kernel of `layer`, which takes the outputs of this layer, to the loss.

        The link between the two is no part of the configuration: make it again in a model that is loaded
        and trained further.
        """
        self.next_kernel = lambda: layer.kernel  # as an attribute, `layer` would be a part of this one

    @property
    def current_rate(self) -> float:
        """The rate that training has reached."""
        return 0.0 if self.logit is None else float(ops.sigmoid(self.logit))

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        shape = ops.shape(inputs)
        uniform = self.uniform((shape[0], *(1 for _ in shape[1:-1]), shape[-1]))
        noise = ops.log(uniform + EPSILON) - ops.log(1 - uniform + EPSILON)
        logit = ops.convert_to_tensor(self.logit)
        # 1 - z and 1 - p as sigmoids of the opposite, which loses no digits near 0.
        factor = ops.sigmoid(-(logit + noise) / self.temperature) / ops.sigmoid(-logit)
        return inputs * ops.cast(factor, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_examples": self.num_examples,
            "length_scale": self.length_scale,
            "temperature": self.temperature,
        }


class _Penalty(keras.regularizers.Regularizer):  # type: ignore[misc]  # Keras has no types
    """The terms of the loss, as a regularizer of the logit of `layer`, which has `num_inputs`."""

    def __init__(self, layer: ConcreteDropout, num_inputs: int) -> None:
        self.layer = layer
        self.num_inputs = num_inputs

    def __call__(self, logit: Any) -> Any:
        layer, logit = self.layer, ops.convert_to_tensor(logit)
        log_rate, log_kept = ops.log_sigmoid(logit), ops.log_sigmoid(-logit)
        negative_entropy = ops.exp(log_rate) * log_rate + ops.exp(log_kept) * log_kept
        loss = self.num_inputs / layer.num_examples * negative_entropy
        if layer.next_kernel is None:
            return loss
        squares = ops.sum(ops.square(ops.cast(layer.next_kernel(), "float32")))
        return loss + layer.length_scale**2 / (2 * layer.num_examples) * squares * ops.exp(-log_kept)


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a number above 0. "
            f"Received: {name}={value!r}"
        )
    return value
