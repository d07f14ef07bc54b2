"""The optimizer of a spec, and the learning rate of each of its steps."""

import math
from collections.abc import Callable

import keras

from dropout_lab.models.kernels import kernels
from dropout_lab.spec import TrainingSpec


def build_optimizer(spec: TrainingSpec, model: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimizer of `spec`, built for the variables of `model`.

    What `spec` does not state has the defaults of Keras. Weight decay is decoupled from the gradient: before
    each update w -= learning_rate * weight_decay * w, of kernels alone (Loshchilov and Hutter, "Decoupled
    Weight Decay Regularization", ICLR 2019, algorithm 2).
    """
    options = {"learning_rate": spec.learning_rate, "weight_decay": spec.weight_decay or None}
    if spec.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=spec.momentum, nesterov=spec.nesterov, **options)
    else:
        kind = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[spec.optimizer]
        optimizer = kind(**options)
    if spec.weight_decay:
        decayed = {id(kernel) for kernel in kernels(model)}
        others = [variable for variable in model.trainable_variables if id(variable) not in decayed]
        optimizer.exclude_from_weight_decay(var_list=others)
    if spec.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def learning_rates(spec: TrainingSpec, steps_per_epoch: int) -> Callable[[int], float] | None:
    """Return the learning rate as a function of the step alone; None if it does not change.

    With t the step from 0, w the steps of the warm-up and n those of the whole training, it is the spec's
    learning rate times min(1, (t + 1) / w) (Goyal et al., "Accurate, Large Minibatch SGD", 2017, section
    2.2), times, with f the final fraction,

    - cosine: f + (1 - f) * (1 + cos(pi * (t - w) / (n - w))) / 2, from t = w on (Loshchilov and Hutter,
      "SGDR", ICLR 2017, equation 5, without restarts);
    - step: the factor, once for each milestone that lies at or before t.

    Args:
        spec: The learning rate and its schedule.
        steps_per_epoch: Steps in an epoch, the last smaller batch included.
    """
    schedule = spec.learning_rate_schedule
    if schedule is None:
        return None
    warmup, total = schedule.warmup_epochs * steps_per_epoch, spec.epochs * steps_per_epoch

    def rate(step: int) -> float:
        fraction = min(1.0, (step + 1) / warmup) if warmup else 1.0
        if schedule.shape == "cosine" and step > warmup:
            half_turn = math.pi * (step - warmup) / (total - warmup)
            fraction *= schedule.final + (1 - schedule.final) * (1 + math.cos(half_turn)) / 2
        if schedule.shape == "step":
            passed = sum(milestone * steps_per_epoch <= step for milestone in schedule.milestones)
            fraction *= schedule.factor**passed
        return spec.learning_rate * fraction

    return rate
