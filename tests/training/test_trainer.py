"""A trainer goes on from any checkpoint to the result that it would have had."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import OutOfMemoryError
from dropout_lab.spec import Settings
from dropout_lab.training.checkpoints import checkpoint_files
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.loop import Progress
from dropout_lab.training.processor import is_capped_below
from dropout_lab.training.trainer import Trainer, load_model

MakeTrainer = Callable[..., Trainer]
ENGINES = ["stock", "fast"]


class StoppedError(Exception):
    """Ends a training from its callback."""


def ignore(_progress: Progress) -> None:
    pass


def told(messages: list[str]) -> Callable[[str], None]:
    return messages.append


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_two_trainings_give_the_same_weights_bit_for_bit(make_trainer: MakeTrainer, engine: str) -> None:
    fingerprints = set()
    for _ in range(2):
        trainer = make_trainer(engine=engine)
        trainer.train(Progress(), ignore)
        fingerprints.add(trainer.weights_fingerprint())
    assert len(fingerprints) == 1


def test_a_batch_larger_than_the_training_set_is_the_training_set(
    make_trainer: MakeTrainer, engine: str, dataset: Dataset
) -> None:
    fingerprints = set()
    for batch_size in (len(dataset.train_labels), 60_000):
        trainer = make_trainer(engine=engine, batch_size=batch_size)
        trainer.train(Progress(), ignore)
        fingerprints.add(trainer.weights_fingerprint())
    assert len(fingerprints) == 1


def test_the_fast_engine_computes_no_more_examples_than_there_are(
    make_trainer: MakeTrainer, dataset: Dataset
) -> None:
    sizes = set()
    for batch_size in (len(dataset.train_labels), 60_000):
        engine = make_trainer(engine="fast", batch_size=batch_size)._engine
        sizes.add((engine._num_shards, engine._shard_size))  # type: ignore[attr-defined]
    assert len(sizes) == 1


def test_conditions_at_one_seed_are_twins_and_end_apart(make_trainer: MakeTrainer, engine: str) -> None:
    baseline, dropout = make_trainer(dropout=0, engine=engine), make_trainer(engine=engine)
    assert baseline.initial_weights == dropout.initial_weights
    assert baseline.batch_order == dropout.batch_order
    for trainer in (baseline, dropout):
        trainer.train(Progress(), ignore)
    assert baseline.weights_fingerprint() != dropout.weights_fingerprint()


@pytest.mark.slow
def test_memory_that_does_not_suffice_is_told_with_what_to_do(make_trainer: MakeTrainer) -> None:
    def ask_for_128_tebibytes(_progress: Progress) -> None:
        tf.random.uniform([2**45])

    with pytest.raises(OutOfMemoryError, match="Out of memory on") as raised:
        make_trainer().train(Progress(), ask_for_128_tebibytes)
    assert "dropout-lab resume" in str(raised.value)


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(
    make_trainer: MakeTrainer, engine: str, stop_after: int, tmp_path: Path
) -> None:
    whole = make_trainer(engine=engine)
    expected = whole.train(Progress(), ignore)

    stopped = make_trainer(engine=engine)
    calls = 0

    def save_and_stop(progress: Progress) -> None:
        nonlocal calls
        calls += 1
        stopped.save(tmp_path, progress)
        if calls == stop_after:
            raise StoppedError

    with pytest.raises(StoppedError):
        stopped.train(Progress(), save_and_stop)

    resumed = make_trainer(engine=engine)
    progress = resumed.train(resumed.restore(tmp_path, told([])), ignore)
    assert resumed.weights_fingerprint() == whole.weights_fingerprint()
    assert [(epoch.loss, epoch.accuracy, epoch.val_loss) for epoch in progress.epochs] == [
        (epoch.loss, epoch.accuracy, epoch.val_loss) for epoch in expected.epochs
    ]


def test_a_network_with_layers_in_bfloat16_continues(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(
        "import keras\n"
        "def build(input_shape, num_classes):\n"
        "    layers = keras.layers\n"
        "    hidden = layers.Dense(8, dtype='bfloat16')\n"
        "    output = layers.Dense(num_classes, activation='softmax', dtype='float32')\n"
        "    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), hidden, output])\n"
    )
    content = {"model": {"network": "own.py:build"}, "training": {"epochs": 2, "batch_size": 100}}
    settings = Settings.model_validate(content)
    whole, resumed = (Trainer(settings, dataset, 0, resolve_device("cpu"), "stock") for _ in range(2))

    def save_first(progress: Progress) -> None:
        if len(progress.epochs) == 1 and not checkpoint_files(tmp_path):
            whole.save(tmp_path, progress)

    whole.train(Progress(), save_first)
    messages: list[str] = []
    progress = resumed.restore(tmp_path, messages.append)
    assert (len(progress.epochs), messages) == (1, [])
    resumed.train(progress, ignore)
    assert resumed.weights_fingerprint() == whole.weights_fingerprint()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("missing")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "is damaged: its checksum does not match"),
        (empty, "is not in the format"),
        (make_folder, "cannot be read: Is a directory"),
        (make_dangling_link, "cannot be read: No such file or directory"),
    ],
)
def test_the_checkpoint_before_an_unusable_one_is_used(
    make_trainer: MakeTrainer, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    trainer = make_trainer()
    trainer.train(Progress(), lambda progress: trainer.save(tmp_path, progress))
    expected = trainer.weights_fingerprint()
    older, newest = checkpoint_files(tmp_path)
    damage(newest)
    messages: list[str] = []
    resumed = make_trainer()
    progress = resumed.restore(tmp_path, messages.append)
    assert (len(progress.epochs), progress.step_in_epoch) == (1, 2)
    (message,) = messages
    assert message.startswith(f"Checkpoint {newest.name} {reason}")
    assert message.endswith(f"; using {older.name}.")
    resumed.train(progress, lambda progress: resumed.save(tmp_path, progress))
    assert resumed.weights_fingerprint() == expected

    for path in checkpoint_files(tmp_path):
        if path.is_file():
            truncate(path)
    messages.clear()
    assert make_trainer().restore(tmp_path, messages.append) == Progress()
    assert messages[-1].endswith("; starting from the first epoch.")


def test_a_checkpoint_without_permission_is_passed_over(
    make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is planted, because permissions do not bind the superuser."""
    trainer = make_trainer()
    trainer.train(Progress(), lambda progress: trainer.save(tmp_path, progress))
    older, newest = checkpoint_files(tmp_path)
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == newest:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    messages: list[str] = []
    assert len(make_trainer().restore(tmp_path, messages.append).epochs) == 1
    assert messages == [f"Checkpoint {newest.name} cannot be read: Permission denied; using {older.name}."]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_and_drops_at_the_rate(make_trainer: MakeTrainer, precision: str) -> None:
    if is_capped_below(precision):
        pytest.skip("TensorFlow cannot compute it under this ONEDNN_MAX_CPU_ISA")
    trainer = make_trainer(dropout=0.3, precision=precision)
    assert [check.rate for check in trainer.check_dropout()] == [0.3, 0.3, 0.3]
    progress = trainer.train(Progress(), ignore)
    assert progress.epochs[1].loss < progress.epochs[0].loss
    assert trainer.model.get_layer("conv2d").compute_dtype == precision.removeprefix("mixed_")


def test_the_saved_model_gives_the_same_probabilities_without_this_package(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer()
    trainer.save_model(tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    loaded = load_model(tmp_path / "model.keras", {})
    example = trainer.input_example()
    assert example.shape == (2, 28, 28, 1)
    np.testing.assert_array_equal(
        loaded.predict(example, verbose=0), trainer.model.predict(example, verbose=0)
    )


def test_final_figures_have_dropout_off(make_trainer: MakeTrainer, dataset) -> None:  # type: ignore[no-untyped-def]
    trainer = make_trainer()
    train, test = trainer.evaluate()
    again, _ = trainer.evaluate()
    assert train.measures == again.measures
    assert len(train.probs) == len(dataset.train_labels)
    assert len(test.probs) == len(dataset.test_labels)
