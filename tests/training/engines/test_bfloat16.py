"""The fast engine with products in bfloat16, also on processors where TensorFlow emulates them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.spec import ModelSpec, Settings, TrainingSpec
from dropout_lab.training import processor
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.engines import choose_engine, fast
from dropout_lab.training.progress import Progress

PUBLISHED = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
BFLOAT16 = "mixed_bfloat16"

can_compute = pytest.mark.skipif(
    processor.is_capped_below(BFLOAT16), reason="ONEDNN_MAX_CPU_ISA keeps TensorFlow from computing in it"
)

MAX_ERROR = 0.2 if processor.slow_bfloat16() else 2**-7
"""Relative error of a gradient against a reference with the same roundings. Rounding to bfloat16 changes a
value by up to 2**-9 of itself, and the reference leaves some of the roundings of the first layer out. Where
TensorFlow emulates bfloat16 it may round sums of products, too, and not only their result."""

MAX_ROUNDING = 0.2
"""Relative error against float64: rounding decides which element wins in about 1 pooling window of 100."""


@can_compute
@pytest.mark.parametrize(
    "model",
    [
        {"dropout": 0.5, "batch_size": 120},
        pytest.param({"dropout": PUBLISHED, "batch_size": 200}, marks=pytest.mark.slow),
        pytest.param({"dropout": 0.2, "dropout_position": "after_pooling"}, marks=pytest.mark.slow),
        pytest.param({"dropout": 0.2, "filters": (5, 9), "hidden_units": 17}, marks=pytest.mark.slow),
    ],
)
def test_gradients_are_those_of_the_reference_rounded_to_bfloat16(
    setup: Callable[..., Any], model: dict[str, Any]
) -> None:
    one = setup(precision=BFLOAT16, **model)
    batch = np.arange(model.get("batch_size", 20))
    loss, gradients = one.engine.gradients(batch, one.step)
    expected_loss, expected = one.reference(batch)
    assert loss == pytest.approx(expected_loss, rel=1e-3)
    assert max(one.errors(gradients, expected)) < MAX_ERROR
    one.round = tf.identity
    _, exact = one.reference(batch)
    assert 2**-12 < max(one.errors(gradients, exact)) < MAX_ROUNDING
    assert {gradient.dtype for gradient in gradients} == {np.dtype(np.float32)}


@can_compute
def test_both_precisions_are_twins_with_the_same_masks(
    make_trainer: Callable[..., Any],
) -> None:
    rounded, full = (make_trainer(engine="fast", precision=one) for one in (BFLOAT16, "float32"))
    assert rounded.initial_weights == full.initial_weights
    assert rounded.batch_order == full.batch_order
    for trainer in (rounded, full):
        trainer.check_dropout()
    pairs = [trainer._engine.observe_dropout(first_step=5) for trainer in (rounded, full)]
    for a, b in zip(*pairs, strict=True):
        assert a.layer == b.layer
        assert np.array_equal(a.examined, b.examined)
        assert np.array_equal(a.kept, b.kept)


@pytest.mark.slow
@can_compute
def test_a_stopped_training_ends_with_the_same_bits(make_trainer: Callable[..., Any], tmp_path: Path) -> None:
    whole = make_trainer(engine="fast", precision=BFLOAT16)
    whole.train(Progress(), lambda _: None)

    class StoppedError(Exception):
        pass

    stopped = make_trainer(engine="fast", precision=BFLOAT16)

    def save_and_stop(progress: Progress) -> None:
        stopped.save(tmp_path, progress)
        raise StoppedError

    with pytest.raises(StoppedError):
        stopped.train(Progress(), save_and_stop)
    resumed = make_trainer(engine="fast", precision=BFLOAT16)
    progress = resumed.restore(tmp_path, pytest.fail)
    assert progress.step_in_epoch > 0
    resumed.train(progress, lambda _: None)
    assert resumed.weights_fingerprint() == whole.weights_fingerprint()


@pytest.mark.parametrize(("reason", "auto"), [("", "fast"), ("needs something", "stock")])
def test_it_is_chosen_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, dataset: Dataset, reason: str, auto: str
) -> None:
    monkeypatch.setattr(fast, "slow_bfloat16", lambda: reason)
    device = replace(resolve_device("cpu"), precision=BFLOAT16)
    note = f"the fast engine {reason}" if reason else ""
    for engine, expected in (("auto", (auto, "")), ("fast", (auto, note)), ("stock", ("stock", ""))):
        settings = Settings.model_validate({"training": {"precision": BFLOAT16, "engine": engine}})
        assert choose_engine(settings, dataset, device) == expected


def test_other_precisions_do_not_depend_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "slow_bfloat16", lambda: pytest.fail("asked"))
    assert fast.unsupported_reason(ModelSpec(), TrainingSpec(), "/CPU:0") is None
    half = TrainingSpec(precision="mixed_float16")
    assert "mixed_float16" in str(fast.unsupported_reason(ModelSpec(), half, "/CPU:0"))
