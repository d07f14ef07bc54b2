"""Checkpoints: whole or refused, the last two kept, and nothing in them is executed."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropout_lab.records import EpochMetrics
from dropout_lab.training.checkpoints import (
    FORMAT,
    DamagedCheckpointError,
    checkpoint_files,
    load_checkpoint,
    save_checkpoint,
)
from dropout_lab.training.loop import Progress

EPOCH = EpochMetrics(
    epoch=1, loss=0.5, accuracy=0.8, val_loss=0.4, val_accuracy=0.85, epoch_seconds=1.5, end_time_ms=1_000
)
NUM_CASES = [100, pytest.param(10_000, marks=pytest.mark.slow)]
PROGRESS = Progress(epochs=(EPOCH,), step_in_epoch=20, loss_sum=12.5, num_correct=7.0, seconds=0.25)


def variables(fill: float) -> list[keras.Variable]:
    return [keras.Variable(np.full((3, 2), fill, np.float32)), keras.Variable(np.full(4, fill, np.float32))]


def test_what_was_saved_is_restored(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, PROGRESS, variables(1.0))
    restored = variables(0.0)
    assert load_checkpoint(path, restored) == PROGRESS
    assert all((variable.numpy() == 1).all() for variable in restored)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "uint32", "bool"])
@pytest.mark.parametrize("shape", [(), (4,), (3, 2), (0, 2)])
def test_every_type_is_restored(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    saved, restored = (keras.Variable(np.full(shape, fill), dtype=dtype) for fill in (1, 0))
    path = save_checkpoint(tmp_path, PROGRESS, [saved])
    assert load_checkpoint(path, [restored]) == PROGRESS
    assert restored.dtype == dtype
    assert np.array_equal(restored.numpy(), saved.numpy())


@pytest.mark.parametrize("shape", [(), (4,)])
def test_another_type_is_refused_and_nothing_assigned(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = save_checkpoint(
        tmp_path, PROGRESS, [keras.Variable(1.0), keras.Variable(np.ones(shape), dtype="bfloat16")]
    )
    others = [keras.Variable(0.0), keras.Variable(np.zeros(shape, np.float32))]
    with pytest.raises(DamagedCheckpointError):
        load_checkpoint(path, others)
    assert not others[0].numpy().any()


def test_epochs_keep_the_rates_that_change_and_may_have_none(tmp_path: Path) -> None:
    """Checkpoints of earlier versions have epochs without the key, in the same format."""
    later = replace(EPOCH, epoch=2, rates={"conv1": 0.25})
    path = save_checkpoint(tmp_path, Progress(epochs=(EPOCH, later)), variables(1.0))
    assert load_checkpoint(path, variables(0.0)).epochs == (EPOCH, later)
    content = path.read_bytes().partition(b"\n")[2].replace(b', "rates": {}', b"", 1)
    path.write_bytes(f"{FORMAT} {hashlib.sha256(content).hexdigest()}\n".encode() + content)
    assert load_checkpoint(path, variables(0.0)).epochs == (EPOCH, later)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for fill in range(5):
        save_checkpoint(tmp_path, PROGRESS, variables(fill))
    assert [path.name for path in checkpoint_files(tmp_path)] == [
        "00000004.checkpoint",
        "00000005.checkpoint",
    ]
    assert sorted(tmp_path.iterdir()) == checkpoint_files(tmp_path)


def test_another_network_s_checkpoint_is_refused_and_nothing_assigned(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, PROGRESS, variables(1.0))
    other = [keras.Variable(np.zeros((3, 2), np.float32)), keras.Variable(np.zeros(5, np.float32))]
    with pytest.raises(DamagedCheckpointError, match=r"expected .* received \(4,\)"):
        load_checkpoint(path, other)
    assert not other[0].numpy().any()


@pytest.mark.parametrize("num_cases", NUM_CASES)
def test_any_damage_is_found(tmp_path: Path, num_cases: int) -> None:
    path = save_checkpoint(tmp_path, PROGRESS, variables(1.0))
    intact = path.read_bytes()
    restored = variables(0.0)

    @settings(max_examples=num_cases)
    @given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
    def check(position: float, flip: int, cut: bool) -> None:
        content = bytearray(intact)
        index = int(position * len(content))
        if cut:
            del content[index:]
        else:
            content[index] ^= flip
        path.write_bytes(content)
        with pytest.raises(DamagedCheckpointError):
            load_checkpoint(path, restored)

    check()
    assert not any(variable.numpy().any() for variable in restored)


@pytest.mark.parametrize("num_cases", NUM_CASES)
def test_any_bytes_are_refused(tmp_path: Path, num_cases: int) -> None:
    path = tmp_path / "00000001.checkpoint"
    restored = variables(0.0)

    @settings(max_examples=num_cases)
    @given(content=st.binary(max_size=500))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        with pytest.raises(DamagedCheckpointError):
            load_checkpoint(path, restored)

    check()


def test_a_failed_write_leaves_the_earlier_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_checkpoint(tmp_path, PROGRESS, variables(1.0))

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, PROGRESS, variables(2.0))
    assert list(tmp_path.iterdir()) == [path]
    load_checkpoint(path, variables(0.0))
