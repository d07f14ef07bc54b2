"""The training loop: epochs of steps, from any step on, to the same weights however often it was stopped."""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import TrainingError
from dropout_lab.records import EpochMetrics, IntArray
from dropout_lab.seeds import generator
from dropout_lab.spec import TrainingSpec
from dropout_lab.training.early_stopping import BestWeights, best_epoch, is_over
from dropout_lab.training.engines import Engine
from dropout_lab.training.prediction import DIVERGED_HINT, Predictor, evaluate
from dropout_lab.training.progress import Progress
from dropout_lab.training.rates import steps_per_epoch

STEPS_A_CALL = 10
"""Steps between two looks at the clock and at requests to stop: about a second on a CPU."""


def epoch_order(run_seed: int, epoch: int, num_examples: int) -> IntArray:
    """Return the order of the examples in epoch `epoch` (from 1) of the run of `run_seed`."""
    return generator(run_seed, "shuffle", epoch).permutation(num_examples)


def batch_order_fingerprint(run_seed: int, num_examples: int, batch_size: int) -> str:
    """Return 16 hexadecimal digits over the first epoch's order; the later ones follow from the same seed."""
    digest = hashlib.sha256(f"{num_examples}/{batch_size}/".encode())
    digest.update(epoch_order(run_seed, 1, num_examples).astype(np.int64).tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class TrainingLoop:
    """The steps and epochs of one model, to the end of its spec.

    Attributes:
        spec: Epochs, batches and optimizer.
        data: Examples to train and validate with.
        engine: Engine that runs the steps.
        predictor: Predictor of the same model, for the validation after each epoch.
        run_seed: Seed of the run.
        changing_rates: From the number of a step to the rate of each site whose rate changes.
        best: Copy of the best epoch's weights; None without early stopping.
    """

    spec: TrainingSpec
    data: Dataset
    engine: Engine
    predictor: Predictor
    run_seed: int
    changing_rates: Callable[[int], Mapping[str, float]]
    best: BestWeights | None = None

    def train(self, progress: Progress, on_progress: Callable[[Progress], None]) -> Progress:
        """Continue from `progress` until every epoch is done, or early stopping ends the training.

        With early stopping the model then has the weights of the best epoch.

        Args:
            progress: Progress that the current variables belong to.
            on_progress: Called after each call of the engine and after each epoch's validation. It may
                save the state; raising from it ends the training there.

        Returns:
            Progress after the last epoch.

        Raises:
            TrainingError: If the loss is no longer finite.
        """
        while not self._is_over(progress):
            progress = self._finish_epoch(progress, on_progress)
            on_progress(progress)
        if self.best is not None:
            self.best.restore()
        return progress

    def _is_over(self, progress: Progress) -> bool:
        stopping = self.spec.early_stopping
        is_stopped = stopping is not None and is_over(stopping, progress.epochs)
        return is_stopped or len(progress.epochs) >= self.spec.epochs

    def _finish_epoch(self, progress: Progress, on_progress: Callable[[Progress], None]) -> Progress:
        epoch = len(progress.epochs) + 1
        num_examples = len(self.data.train_labels)
        order = epoch_order(self.run_seed, epoch, num_examples)
        num_full_steps = num_examples // self.spec.batch_size
        num_steps = steps_per_epoch(num_examples, self.spec.batch_size)
        while progress.step_in_epoch < num_steps:
            start = progress.step_in_epoch
            stop = min(start + STEPS_A_CALL, num_full_steps if start < num_full_steps else num_steps)
            batch = order[start * self.spec.batch_size : stop * self.spec.batch_size]
            began = time.perf_counter()
            loss_sum, num_correct = self.engine.run(
                batch.reshape(stop - start, -1), (epoch - 1) * num_steps + start
            )
            progress = replace(
                progress,
                step_in_epoch=stop,
                loss_sum=progress.loss_sum + loss_sum,
                num_correct=progress.num_correct + num_correct,
                seconds=progress.seconds + time.perf_counter() - began,
            )
            if not math.isfinite(loss_sum):
                where = f"epoch {epoch}, step {start + 1} to {stop} of {num_steps}"
                raise TrainingError(f"The loss became {loss_sum} in {where}.", hint=DIVERGED_HINT)
            if stop < num_steps:
                on_progress(progress)
        return self._close_epoch(progress, epoch, num_examples)

    def _close_epoch(self, progress: Progress, epoch: int, num_examples: int) -> Progress:
        self.predictor.require_finite_weights()
        probs = self.predictor.probs(self.data.validation_inputs)
        validation = evaluate(probs, self.data.validation_labels)
        metrics = EpochMetrics(
            epoch=epoch,
            loss=progress.loss_sum / num_examples,
            accuracy=progress.num_correct / num_examples,
            val_loss=validation.measures["loss"],
            val_accuracy=validation.measures["accuracy"],
            epoch_seconds=progress.seconds,
            end_time_ms=time.time_ns() // 1_000_000,
            rates=self.changing_rates(epoch * steps_per_epoch(num_examples, self.spec.batch_size) - 1),
        )
        epochs = (*progress.epochs, metrics)
        stopping = self.spec.early_stopping
        if self.best is not None and stopping is not None and best_epoch(stopping, epochs) == epoch:
            self.best.keep()
        return Progress(epochs=epochs)
