"""The training loop: every example once an epoch, the same batches for all conditions, honest failures."""

from collections.abc import Callable

import numpy as np
import pytest

from dropout_lab.errors import TrainingError
from dropout_lab.training.loop import Progress, batch_order_fingerprint, epoch_order
from dropout_lab.training.trainer import Trainer

MakeTrainer = Callable[..., Trainer]


def ignore(_progress: Progress) -> None:
    pass


def test_an_epoch_visits_every_example_once_in_an_order_of_its_own() -> None:
    first, second = epoch_order(0, 1, 100), epoch_order(0, 2, 100)
    assert sorted(first) == sorted(second) == list(range(100))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, epoch_order(0, 1, 100))
    assert not np.array_equal(first, epoch_order(1, 1, 100))


def test_the_batch_order_fingerprint_tells_orders_apart() -> None:
    same = batch_order_fingerprint(0, 100, 10)
    assert same == batch_order_fingerprint(0, 100, 10)
    others = [
        batch_order_fingerprint(1, 100, 10),
        batch_order_fingerprint(0, 101, 10),
        batch_order_fingerprint(0, 100, 20),
    ]
    assert same not in others


def test_training_learns_and_reports_each_epoch(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(epochs=8, dropout=0)
    seen: list[Progress] = []
    progress = trainer.train(Progress(), seen.append)
    assert [epoch.epoch for epoch in progress.epochs] == list(range(1, 9))
    assert progress.epochs[-1].loss < 0.6 * progress.epochs[0].loss
    assert progress.epochs[-1].val_accuracy > 0.5
    assert [one.step_in_epoch for one in seen[:2]] == [2, 0]


def test_loss_and_accuracy_are_what_keras_reports(make_trainer: MakeTrainer, dataset) -> None:  # type: ignore[no-untyped-def]
    """Without dropout, Keras' own `fit` on the same batches gives the same figures and weights.

    Pixels are scaled by multiplication here and there: dividing by 255 rounds otherwise, and rounding
    decides which of two nearly equal values max-pooling takes.
    """
    import keras

    from dropout_lab.models.published import build_model
    from dropout_lab.spec import ModelSpec

    trainer = make_trainer(dropout=0, epochs=1, optimizer="sgd", learning_rate=0.05)
    ours = trainer.train(Progress(), ignore).epochs[0]
    order = epoch_order(0, 1, len(dataset.train_labels))
    model = build_model(ModelSpec(), 0)
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    images = dataset.train_inputs[order].astype(np.float32)[..., np.newaxis] * np.float32(1 / 255)
    theirs = model.fit(images, dataset.train_labels[order], batch_size=100, shuffle=False, verbose=0).history
    assert ours.loss == pytest.approx(theirs["loss"][0], rel=1e-5)
    assert ours.accuracy == pytest.approx(theirs["accuracy"][0])
    for mine, keras_s in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_s, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_other_optimizers_train_too(make_trainer: MakeTrainer, optimizer: str) -> None:
    trainer = make_trainer(optimizer=optimizer, learning_rate=0.01 if optimizer == "sgd" else 0.001)
    progress = trainer.train(Progress(), ignore)
    assert progress.epochs[1].loss < progress.epochs[0].loss


@pytest.mark.parametrize("engine", ["stock", "fast"])
def test_a_loss_that_is_not_finite_ends_the_training(make_trainer: MakeTrainer, engine: str) -> None:
    trainer = make_trainer(engine=engine)
    kernel = trainer.model.get_layer("dense_1").kernel
    kernel.assign(kernel * np.inf)
    with pytest.raises(TrainingError, match=r"The loss became nan in epoch 1, step 1 to 2 of 3"):
        trainer.train(Progress(), ignore)


def test_weights_that_are_not_finite_end_the_training(make_trainer: MakeTrainer) -> None:
    """Stock ReLU and max-pooling turn NaN into numbers, so that the loss alone does not show it."""
    trainer = make_trainer()
    kernel = trainer.model.get_layer("conv2d_1").kernel
    kernel.assign(kernel * np.inf)
    with pytest.raises(TrainingError, match="weights of dropout_network/conv2d/kernel are no longer finite"):
        trainer.train(Progress(), ignore)
