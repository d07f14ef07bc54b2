"""Checkpoints: whole or refused, the last two kept, and nothing in them is executed."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropout_lab.learning.checkpoints import (
    DamagedCheckpointError,
    checkpoint_files,
    load_checkpoint,
    save_checkpoint,
)
from dropout_lab.learning.training import Progress
from dropout_lab.records import EpochMetrics

EPOCH = EpochMetrics(
    epoch=1, loss=0.5, accuracy=0.8, val_loss=0.4, val_accuracy=0.85, epoch_seconds=1.5, end_time_ms=1_000
)
PROGRESS = Progress(epochs=(EPOCH,), step_in_epoch=20, loss_sum=12.5, num_correct=7.0, seconds=0.25)


def variables(fill: float) -> list[keras.Variable]:
    return [keras.Variable(np.full((3, 2), fill, np.float32)), keras.Variable(np.full(4, fill, np.float32))]


def test_what_was_saved_is_restored(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, PROGRESS, variables(1.0))
    restored = variables(0.0)
    assert load_checkpoint(path, restored) == PROGRESS
    assert all((variable.numpy() == 1).all() for variable in restored)


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


@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_any_damage_is_found(
    tmp_path_factory: pytest.TempPathFactory, position: float, flip: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = save_checkpoint(folder, PROGRESS, variables(1.0))
    content = bytearray(path.read_bytes())
    index = int(position * len(content))
    if cut:
        del content[index:]
    else:
        content[index] ^= flip
    path.write_bytes(content)
    restored = variables(0.0)
    header = json.loads(bytes(content).partition(b"\n")[0]) if not cut and _is_json(bytes(content)) else {}
    try:
        progress = load_checkpoint(path, restored)
    except DamagedCheckpointError:
        assert not any(variable.numpy().any() for variable in restored)
    else:
        raise AssertionError(f"a changed byte was not noticed: {header} {progress}")


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content.partition(b"\n")[0])
    except ValueError:
        return False
    return True


@given(content=st.binary(max_size=500))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "00000001.checkpoint"
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpointError):
        load_checkpoint(path, variables(0.0))


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
