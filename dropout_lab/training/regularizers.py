"""What a training step adds to the loss and to the update, besides dropout."""

from dataclasses import dataclass

import keras
import tensorflow as tf

from dropout_lab.errors import UsageError
from dropout_lab.models.kernels import IncomingWeights, incoming_weights, kernels
from dropout_lab.models.network import Network
from dropout_lab.spec import TrainingSpec


@dataclass(frozen=True)
class Regularizers:
    """L2 penalty, norm limit and label smoothing of a training; the model itself does not know of them.

    Attributes:
        l2: Factor of the L2 penalty.
        max_norm: Largest norm of the incoming weights of a unit; None without a limit.
        label_smoothing: Part of each label that is spread over all classes.
        penalized: Kernels that the L2 penalty is about.
        limited: Kernels that the norm limit is about.
    """

    l2: float = 0.0
    max_norm: float | None = None
    label_smoothing: float = 0.0
    penalized: tuple[keras.Variable, ...] = ()
    limited: tuple[IncomingWeights, ...] = ()

    @classmethod
    def of(cls, spec: TrainingSpec, network: Network) -> "Regularizers":
        """Return those of `spec` for a network.

        Raises:
            UsageError: If a norm limit is asked for, and the network has no layer that it applies to.
        """
        limited = tuple(incoming_weights(network.model)) if spec.max_norm else ()
        if spec.max_norm and not limited:
            raise UsageError("training.max_norm: the network has no dense or convolution layer of Keras")
        penalized = tuple(kernels(network.model)) if spec.l2 else ()
        return cls(spec.l2, spec.max_norm, spec.label_smoothing, penalized, limited)

    def minimized(
        self, labels: tf.Tensor, outputs: tf.Tensor, losses: tf.Tensor, *, from_logits: bool
    ) -> tf.Tensor:
        """Return the losses that are minimized in place of the cross-entropy, (batch,).

        With a the label smoothing and K classes, the label is 1 - a + a / K for the class of an example
        and a / K for the others (Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016,
        section 7).

        Args:
            labels: (batch,) of class numbers.
            outputs: (batch, num_classes), probabilities or logits.
            losses: (batch,), the cross-entropy of each example.
            from_logits: Whether `outputs` are logits.
        """
        if not self.label_smoothing:
            return losses
        return keras.losses.categorical_crossentropy(
            tf.one_hot(labels, outputs.shape[-1]),
            outputs,
            from_logits=from_logits,
            label_smoothing=self.label_smoothing,
        )

    def penalties(self) -> list[tf.Tensor]:
        """Return the L2 penalty, l2 times the sum of the squares of the kernels, if there is one."""
        if not self.l2:
            return []
        return [self.l2 * tf.add_n([tf.reduce_sum(tf.square(kernel.value)) for kernel in self.penalized])]

    def limit(self) -> None:
        """Scale the incoming weights of each unit down to the largest norm, if they exceed it.

        Srivastava et al., "Dropout", JMLR 15 (2014), section 5.1.
        """
        for one in self.limited:
            norms = tf.sqrt(tf.reduce_sum(tf.square(one.kernel.value), one.axes, keepdims=True))
            # Not MaxNorm of Keras: each step makes what is within the limit smaller by 1e-7 / norm of itself.
            one.kernel.assign(one.kernel.value * tf.divide(self.max_norm, tf.maximum(norms, self.max_norm)))
