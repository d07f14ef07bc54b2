"""How a network is trained, as a spec states it: epochs, optimizer, and what regularizes besides dropout."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dropout_lab.spec.base import LATER, Frozen, list_to_tuple
from dropout_lab.spec.schedules import to_schedule

Shape = Literal["constant", "cosine", "step"]
Epochs = Annotated[float, Field(gt=0, le=10_000)]


class LearningRateSchedule(Frozen):
    """Change of the learning rate during training, step by step."""

    shape: Shape = "constant"
    """`constant`; `cosine`, half a cosine from the learning rate towards `final` of it at the end; or
    `step`, which multiplies the rate by `factor` after each of the `milestones`."""
    warmup_epochs: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    """Epochs over which the rate first rises linearly from 0; may be a fraction."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the learning rate that `cosine` leads to; the last step is one short of it."""
    milestones: Annotated[tuple[Epochs, ...], Field(max_length=100), BeforeValidator(list_to_tuple)] = ()
    """Epochs, in rising order, after which `step` changes the rate; may be fractions."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Factor of the learning rate at each milestone of `step`."""

    def applies(self, field: str) -> bool:
        """Return whether `field` has a meaning for the shape."""
        shapes = {"final": "cosine", "milestones": "step", "factor": "step"}
        return shapes.get(field, self.shape) == self.shape


class EarlyStopping(Frozen):
    """End of the training when a validation metric no longer improves; the best epoch's weights are kept."""

    patience: Annotated[int, Field(ge=1, le=10_000)] = 3
    """Epochs in a row without an improvement after which training ends."""
    metric: Literal["val_loss", "val_accuracy"] = "val_loss"
    """Metric of the validation split that chooses the best epoch: the first with the best value."""


class Augmentation(Frozen):
    """Random changes of the training images, other ones in each epoch and the same in all conditions."""

    flip: Literal["horizontal", "vertical", "horizontal_and_vertical"] | None = None
    """Mirror each image with probability 0.5, in each of these directions."""
    translation: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Largest shift in each direction, as a fraction of height and width. Uncovered pixels are 0."""
    rotation: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest rotation in each direction, as a fraction of a full turn. Uncovered pixels are 0."""
    crop: Annotated[int, Field(ge=0, le=512)] = 0
    """Pixels with value 0 added at each side, before a part of the original size is cut out at random."""

    @property
    def changes_nothing(self) -> bool:
        """Whether no change is asked for."""
        return self == Augmentation()


class TrainingSpec(Frozen):
    """Training settings."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Passes over the training set."""
    batch_size: Annotated[int, Field(ge=1, le=60_000)] = 200
    """Batch size; the last batch may be smaller."""
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    """Optimizer, with the Keras defaults except the learning rate."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 0.001
    """Learning rate of the optimizer."""
    momentum: Annotated[float, Field(ge=0, lt=1), LATER] = 0.0
    """Momentum of `sgd`."""
    nesterov: Annotated[bool, LATER] = False
    """Whether the momentum of `sgd` is that of Nesterov."""
    learning_rate_schedule: Annotated[
        LearningRateSchedule | None,
        BeforeValidator(to_schedule, json_schema_input_type=Shape | LearningRateSchedule | None),
        LATER,
    ] = None
    """Change of the learning rate during training, or its shape alone, `cosine`. Default: none."""
    weight_decay: Annotated[float, Field(ge=0, le=100), LATER] = 0.0
    """Decoupled weight decay (AdamW): each step multiplies all kernels by 1 - learning rate x this."""
    l2: Annotated[float, Field(ge=0, le=100), LATER] = 0.0
    """L2 penalty: this times the sum of the squares of all kernels is added to the loss that is minimized."""
    max_norm: Annotated[float | None, Field(gt=0, le=1e6), LATER] = None
    """Largest norm of the incoming weights of each unit of dense and convolution layers. Default: none."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1), LATER] = 0.0
    """Part of each label that is spread evenly over all classes, in the loss that is minimized alone."""
    augmentation: Annotated[Augmentation | None, LATER] = None
    """Random changes of the training images. Default: none."""
    early_stopping: Annotated[EarlyStopping | None, LATER] = None
    """End of the training by a validation split. Default: all epochs, and the weights after the last."""
    engine: Literal["auto", "fast", "stock"] = "auto"
    """Training engine: `stock` Keras layers, the `fast` CPU path, or `auto`: fast if it can train
    all conditions of the same network, optimizer and precision."""
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """Keras dtype policy. `mixed_bfloat16` is also fast on CPUs with AVX512-BF16 or AMX instructions."""

    def applies(self, field: str) -> bool:
        """Return whether `field` has a meaning for the optimizer."""
        return self.optimizer == "sgd" or field not in ("momentum", "nesterov")
