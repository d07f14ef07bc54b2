"""How far a training is; needs no Keras."""

from dataclasses import dataclass

from dropout_lab.records import EpochMetrics


@dataclass(frozen=True)
class Progress:
    """Progress of a training; with the variables of the model and the optimizer, its whole state.

    Attributes:
        epochs: Metrics of the finished epochs.
        step_in_epoch: Steps done in the current epoch.
        loss_sum, num_correct: Sums over the examples of those steps.
        seconds: Duration of those steps.
    """

    epochs: tuple[EpochMetrics, ...] = ()
    step_in_epoch: int = 0
    loss_sum: float = 0.0
    num_correct: float = 0.0
    seconds: float = 0.0
