"""Updates follow the definitions of momentum and weight decay, and learning rates their schedules."""

import keras
import numpy as np
import pytest

from dropout_lab.spec import TrainingSpec
from dropout_lab.spec.training import LearningRateSchedule
from dropout_lab.training.optimizers import build_optimizer, learning_rates


def small_model() -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    model.layers[0].bias.assign([1.0, -2.0])
    return model


def apply(model: keras.Model, optimizer: keras.optimizers.Optimizer, value: float, steps: int = 1) -> None:
    gradients = [np.full(variable.shape, value, np.float32) for variable in model.trainable_variables]
    for _ in range(steps):
        optimizer.apply(gradients, model.trainable_variables)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_weight_decay_shrinks_kernels_before_the_update(optimizer: str) -> None:
    """With gradients of 0 nothing else changes a weight."""
    model = small_model()
    spec = TrainingSpec(optimizer=optimizer, learning_rate=0.5, weight_decay=0.2)
    before = [variable.numpy() for variable in model.trainable_variables]
    apply(model, build_optimizer(spec, model), 0.0, steps=2)
    kernel, *others = (variable.numpy() for variable in model.trainable_variables)
    np.testing.assert_allclose(kernel, before[0] * (1 - 0.5 * 0.2) ** 2, rtol=1e-6)
    for other, own in zip(others, before[1:], strict=True):
        np.testing.assert_array_equal(other, own)


def test_adam_with_weight_decay_is_adamw_of_keras() -> None:
    ours, theirs = small_model(), small_model()
    theirs.set_weights(ours.get_weights())
    adamw = keras.optimizers.AdamW(learning_rate=0.01, weight_decay=0.1)
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    spec = TrainingSpec(learning_rate=0.01, weight_decay=0.1)
    apply(ours, build_optimizer(spec, ours), 0.3, steps=3)
    apply(theirs, adamw, 0.3, steps=3)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_of_sgd(nesterov: bool) -> None:
    """v = 0.9 v - rate g; w += v, or w += 0.9 v - rate g: Sutskever et al. (2013), section 2."""
    model = small_model()
    before = model.layers[0].kernel.numpy()
    spec = TrainingSpec(optimizer="sgd", learning_rate=0.1, momentum=0.9, nesterov=nesterov)
    apply(model, build_optimizer(spec, model), 1.0, steps=2)
    velocities = [-0.1, 0.9 * -0.1 - 0.1]
    moves = [0.9 * v - 0.1 for v in velocities] if nesterov else velocities
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), before + sum(moves), rtol=1e-5)


def test_without_new_settings_the_optimizer_is_that_of_keras() -> None:
    for name, kind in {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}.items():
        made = build_optimizer(TrainingSpec(optimizer=name), small_model())  # type: ignore[arg-type]
        expected = getattr(keras.optimizers, kind)(learning_rate=0.001).get_config()
        own = {"name", "learning_rate"}
        assert {k: v for k, v in made.get_config().items() if k not in own} == {
            k: v for k, v in expected.items() if k not in own
        }


def rates(epochs: int, steps: int, **schedule: object) -> list[float]:
    spec = TrainingSpec(
        epochs=epochs, learning_rate=0.2, learning_rate_schedule=LearningRateSchedule(**schedule)
    )  # type: ignore[arg-type]
    rate = learning_rates(spec, steps)
    assert rate is not None
    return [rate(step) for step in range(epochs * steps)]


def test_cosine_is_that_of_keras_and_of_the_paper() -> None:
    ours = rates(3, 4, shape="cosine", final=0.1)
    keras_own = keras.optimizers.schedules.CosineDecay(0.2, decay_steps=12, alpha=0.1)
    np.testing.assert_allclose(ours, [float(keras_own(step)) for step in range(12)], rtol=1e-6)
    assert ours[0] == 0.2
    assert ours[6] == pytest.approx(0.2 * (0.1 + 0.9 / 2))


def test_warm_up_rises_to_the_rate_and_the_cosine_follows() -> None:
    ours = rates(3, 4, shape="cosine", warmup_epochs=1)
    assert ours[:5] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2])
    assert ours[8] == pytest.approx(0.2 * (1 + np.cos(np.pi * 4 / 8)) / 2)
    assert rates(2, 4, warmup_epochs=0.5) == pytest.approx([0.1, *[0.2] * 7])


def test_steps_come_after_their_epochs() -> None:
    ours = rates(4, 2, shape="step", milestones=(1, 2.5), factor=0.5)
    assert ours == pytest.approx([0.2] * 2 + [0.1] * 3 + [0.05] * 3)


def test_no_schedule_is_no_change() -> None:
    assert learning_rates(TrainingSpec(), 5) is None
