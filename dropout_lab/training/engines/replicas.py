"""Copies of a network on several devices, each of which trains on its part of every batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from dropout_lab.errors import UsageError
from dropout_lab.models.keras_internals import seed_generators
from dropout_lab.models.sites import walk
from dropout_lab.training.replacing import replaced

Step = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""From inputs, labels and the share of a batch that they are to the sum of their losses, and to the number
classified correctly."""


class Replicas:
    """Copies of a network under TensorFlow's MirroredStrategy.

    The gradients of a batch are those that one device computes of it but for rounding; each copy draws masks
    of its own. Batch normalization sees the part of its copy alone, and evaluation uses the first copy.

    Args:
        devices: Names of the devices, as TensorFlow names them.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._count = len(devices)
        # Sums on one device have one order, so that equal runs give equal bits.
        self._strategy = tf.distribute.MirroredStrategy(
            devices, cross_device_ops=tf.distribute.ReductionToOneDevice()
        )

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which variables are made, one copy per device, and used."""
        scope: AbstractContextManager[Any] = self._strategy.scope()
        return scope

    def require_parts(self, num_examples: int, batch_size: int) -> None:
        """Check that each batch of an epoch has an example for each device.

        Raises:
            UsageError: If one has not.
        """
        smallest = num_examples % batch_size or batch_size
        if smallest < self._count:
            raise UsageError(
                f"device: a batch of {smallest} cannot be divided among {self._count} devices"
                f" (training.batch_size: {batch_size}, training examples: {num_examples})",
                hint="Choose another training.batch_size or data.num_train, or device: gpu.",
            )

    def step(
        self, step: Step, model: keras.Model, inputs: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Run `step` on each device with its part of a batch, in a graph; return the sums of its results.

        Args:
            step: What each device does.
            model: The network, whose random numbers differ from one device to the other.
            inputs: (batch, ...).
            labels: (batch,).
        """
        num_examples = tf.shape(labels)[0]
        ends = tf.range(1, self._count + 1) * num_examples // self._count
        sizes = ends - tf.range(self._count) * num_examples // self._count
        shares = tf.cast(sizes, tf.float32) / tf.cast(num_examples, tf.float32)
        parts = zip(
            tf.split(inputs, sizes, num=self._count),
            tf.split(labels, sizes, num=self._count),
            tf.unstack(shares),
            strict=True,
        )
        arguments = [self._one_each(values) for values in zip(*parts, strict=True)]
        with _own_random_numbers(model):
            sums = self._strategy.run(step, args=arguments)
        loss, num_correct = (self._strategy.reduce("SUM", one, axis=None) for one in sums)
        return loss, num_correct

    def align(self, variables: Sequence[keras.Variable]) -> None:
        """Give all copies of `variables` the values of the first, as a checkpoint does that is loaded."""
        for variable in variables:
            variable.assign(variable.value)

    def _one_each(self, values: Sequence[tf.Tensor]) -> Any:
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: values[context.replica_id_in_sync_group]
        )


@contextmanager
def _own_random_numbers(model: keras.Model) -> Iterator[None]:
    """Let each copy of `model` that is called inside this context draw random numbers of its own.

    The copies of a source of random numbers have the same state. What they draw is made different, as the
    documentation of `tf.random.fold_in` recommends for copies, by the number of the copy.
    """

    def folded(source: keras.random.SeedGenerator) -> Callable[..., tf.Tensor]:
        draw = source.next

        def next_seed(ordered: bool = True) -> tf.Tensor:
            seed = draw(ordered)
            context = tf.distribute.get_replica_context()
            return tf.random.fold_in(seed, context.replica_id_in_sync_group)

        return next_seed

    with ExitStack() as restored:
        for _, layer in walk(model):
            for source in seed_generators(layer):
                restored.enter_context(replaced(source, "next", folded(source)))
        yield
