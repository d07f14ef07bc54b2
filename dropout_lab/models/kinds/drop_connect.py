"""DropConnect: weights in place of units."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import RatedLayer, in_float32


class DropConnect(RatedLayer):
    """Mixin in front of a layer of Keras whose kernel loses weights in training.

    Each weight of the kernel is 0 with probability `rate`, else divided by 1 - rate: the mean of the kernel
    is kept. The bias is kept as a whole. At inference the layer is the one of Keras.

    One mask is drawn per step, for the whole batch. The paper draws one per example, which needs a kernel
    per example, and it drops biases too and samples at inference; here inference uses the mean kernel. The
    gradient of a step has the same mean and a larger variance than with masks per example.

    Use it in large dense layers in place of standard dropout on their inputs. A layer has more weights than
    inputs, so that masks differ in more places; with one mask per step small kernels give noisy gradients.

    Args:
        rate: Fraction of the weights to drop, in [0, 1).
        seed: Seed of the masks. None draws one.
        variable_rate: See `RatedLayer`.
        **kwargs: Arguments of the layer of Keras, such as `units` or `filters`.

    Call arguments:
        inputs: Tensor that the layer of Keras takes.
        training: Whether to drop; else the call is that of the layer of Keras.

    Returns:
        The outputs of the layer of Keras with this kernel.

    Raises:
        ValueError: If `rate` is invalid.

    Reference:
        Wan et al., "Regularization of Neural Networks using DropConnect", ICML 2013, section 3.
    """

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """Return the outputs, with weights dropped if `training` is true and the rate may be above 0."""
        if not self.drops(training):
            return super().call(inputs)
        kernel = in_float32(self.drop_and_scale, ops.convert_to_tensor(self.kernel))
        outputs = self.apply_kernel(inputs, kernel)
        if self.use_bias:
            outputs += self.broadcast_bias()
        return outputs if self.activation is None else self.activation(outputs)

    def save_own_variables(self, store: Any) -> None:
        """Store the rate too: layers of Keras with a kernel store only what they know."""
        super().save_own_variables(store)
        if self.rate_variable is not None:
            store["rate"] = self.rate_variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` stored."""
        super().load_own_variables(store)
        if self.rate_variable is not None:
            self.rate_variable.assign(store["rate"])

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Return the outputs without bias and activation."""
        raise NotImplementedError

    def broadcast_bias(self) -> Any:
        """Return the bias in a shape that can be added to the outputs."""
        return ops.convert_to_tensor(self.bias)


@keras.saving.register_keras_serializable("dropout_lab")
class DropConnectDense(DropConnect, keras.layers.Dense):  # type: ignore[misc]  # Keras has no types
    """`keras.layers.Dense` that drops weights in training; see `DropConnect`."""

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """See `DropConnect.apply_kernel`."""
        return ops.matmul(inputs, kernel)


@keras.saving.register_keras_serializable("dropout_lab")
class DropConnectConv2D(DropConnect, keras.layers.Conv2D):  # type: ignore[misc]  # Keras has no types
    """`keras.layers.Conv2D` that drops weights in training; see `DropConnect`."""

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """See `DropConnect.apply_kernel`."""
        return self.convolution_op(inputs, kernel)

    def broadcast_bias(self) -> Any:
        """See `DropConnect.broadcast_bias`."""
        return ops.reshape(self.bias, (-1, 1, 1) if self.data_format == "channels_first" else (-1,))
