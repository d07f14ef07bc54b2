"""Graphs that TensorFlow traces once, and loops in them."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class TracedOnce:
    """A function that is traced at its first call, for variables of the same shapes and longer arrays too."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = tf.function(function, autograph=False)
        self._concrete: Callable[..., Any] | None = None

    @property
    def num_traces(self) -> int:
        """How often it was traced."""
        return int(self._function.experimental_get_tracing_count())

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, tracing it at the first call."""
        if self._concrete is None:
            self._concrete = self._function.get_concrete_function(
                *tf.nest.map_structure(_of_any_length, arguments)
            )
        return self._concrete(*arguments)


def _of_any_length(argument: Any) -> Any:
    """Return the description of a variable, or of a tensor of any first dimension; others as they are."""
    if isinstance(argument, tf.Variable):
        # TensorFlow would keep the variable itself as long as the graph.
        return tf.type_spec_from_value(argument)
    if tf.is_tensor(argument) and argument.shape.rank > 0:
        return tf.TensorSpec((None, *argument.shape[1:]), argument.dtype)
    return argument


def fold(
    body: Callable[[tf.Tensor, tf.Tensor, Any], Any], start: Any, num_steps: tf.Tensor, first_step: tf.Tensor
) -> Any:
    """Return what `body` makes of `start` in consecutive steps.

    Args:
        body: From the number of the step here, from 0, its number in the whole training, and the result so
            far to the next result.
        start: Result before the first step.
        num_steps: Number of steps.
        first_step: Number of the first one in the whole training.
    """

    def one(i: tf.Tensor, result: Any) -> tuple[tf.Tensor, Any]:
        return i + 1, body(i, first_step + i, result)

    first = tf.constant(0, tf.int64)
    return tf.while_loop(lambda i, _: i < num_steps, one, (first, start), parallel_iterations=1)[1]
