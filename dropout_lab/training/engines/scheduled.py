"""Training steps with a learning rate of their own each."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

from dropout_lab.records import IntArray
from dropout_lab.training.engines.observation import DropoutObservation

if TYPE_CHECKING:
    from dropout_lab.training.engines import Engine


class ScheduledEngine:
    """An engine whose optimizer gets its learning rate before each step.

    The rate is a function of the step alone, so a training that was stopped continues with the same rates.

    Args:
        engine: Engine that runs the steps; it reads the rate from the optimizer's variable.
        optimizer: Its optimizer.
        learning_rate: From the number of a step, from 0, to its learning rate.
    """

    def __init__(
        self,
        engine: "Engine",
        optimizer: keras.optimizers.Optimizer,
        learning_rate: Callable[[int], float],
    ) -> None:
        self.name, self.variables = engine.name, engine.variables
        self._engine = engine
        self._optimizer = optimizer
        self._learning_rate = learning_rate

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`."""
        loss_sum, num_correct = 0.0, 0.0
        for index in range(len(batches)):
            self._optimizer.learning_rate = self._learning_rate(first_step + index)
            loss, correct = self._engine.run(batches[index : index + 1], first_step + index)
            loss_sum += loss
            num_correct += correct
        return loss_sum, num_correct

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """See `Engine.observe_dropout`."""
        return self._engine.observe_dropout(first_step)
