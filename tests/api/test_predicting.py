"""`predict`: the same probabilities as the run's own evaluation, whatever names the model."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.data.fashion_mnist import read_source
from dropout_lab.errors import DataError, UsageError

HALF_PRECISION = 1e-3
"""Logged probabilities are rounded to float16."""


@pytest.fixture(scope="module")
def test_images(subset: Path) -> np.ndarray:
    """The test images of the runs, stored values."""
    return read_source(subset).test_inputs[:100]


@pytest.fixture
def copied(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder of the trained runs, as the current folder."""
    folder = tmp_path / "copied"
    shutil.copytree(trained.folder, folder)
    monkeypatch.chdir(folder)
    return folder


def logged_probs(reference: str) -> np.ndarray:
    from dropout_lab.tracking import find_run, load_test_probs

    return load_test_probs(find_run(reference))[0]


def test_a_run_predicts_what_it_was_evaluated_with(in_trained: Any, test_images: np.ndarray) -> None:
    found = dl.predict("half-seed1", test_images)
    np.testing.assert_allclose(found.probs, logged_probs("half-seed1"), atol=HALF_PRECISION)
    assert found.notes == ()
    frame = found.to_frame()
    assert list(frame) == ["image", "class", "label", "probability"]
    assert frame["label"].tolist() == found.probs.argmax(axis=1).tolist()
    assert frame["image"][7] == "images[7]"
    assert "images[7]: " in repr(found)
    assert "<table" in found._repr_html_()
    assert not np.array_equal(found.probs, dl.predict("tiny/none-seed1", test_images).probs)


@pytest.mark.slow
def test_every_name_of_a_model_finds_it(copied: Path, test_images: np.ndarray) -> None:
    promotion = dl.promote("half-seed0", name="clothes")
    assert (promotion.version, promotion.is_new) == (1, True)
    (file,) = (
        path
        for path in Path("mlruns/tiny/models").rglob("model.keras")
        if promotion.run.run_id in (path.parent.parent / "MLmodel").read_text()
    )
    expected = dl.predict(promotion.run.run_id[:8], test_images).probs
    references = ["clothes@champion", "models:/clothes/1", file, file.parent.parent]
    for reference in references:
        found = dl.predict(reference, test_images)
        np.testing.assert_array_equal(found.probs, expected)
        assert found.notes == ()
    shutil.copy(file, "alone.keras")
    alone = dl.predict("alone.keras", test_images)
    np.testing.assert_array_equal(alone.probs, expected)
    assert alone.notes == (
        "alone.keras does not record its scaling and class names: pixels of 0 to 255 are divided by 255.",
    )
    with pytest.raises(UsageError, match=r"alon.keras: file not found \(did you mean 'alone.keras'"):
        dl.predict("alon.keras", test_images)


@pytest.mark.slow
def test_a_run_that_logged_no_form_of_inputs_takes_that_of_its_data(
    copied: Path, test_images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in copied.rglob("input_form.json"):
        form.unlink()
    found = dl.predict("half-seed1", test_images)
    np.testing.assert_allclose(found.probs, logged_probs("half-seed1"), atol=HALF_PRECISION)
    monkeypatch.setenv("DROPOUT_LAB_DATA", str(tmp_path))
    with pytest.raises(DataError):
        dl.predict("half-seed1", test_images)


def test_scaled_values_are_taken_on_request(in_trained: Any, test_images: np.ndarray, tmp_path: Path) -> None:
    scaled = (test_images / np.float32(255)).astype(np.float32)
    expected = dl.predict("half-seed0", test_images).probs
    with pytest.raises(DataError, match="trained on integers from 0 to 255"):
        dl.predict("half-seed0", scaled)
    np.testing.assert_allclose(dl.predict("half-seed0", scaled, scale="none").probs, expected, atol=1e-6)
    np.save(tmp_path / "images.npy", test_images[:2])
    found = dl.predict("half-seed0", [tmp_path / "images.npy"])
    np.testing.assert_allclose(found.probs, expected[:2], atol=1e-6)
    with pytest.raises(UsageError, match=r"scale: 'units' \(did you mean 'unit'"):
        dl.predict("half-seed0", test_images, scale="units")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="images: none"):
        dl.predict("half-seed0", [])


def test_samples_with_dropout_on_measure_uncertainty(in_trained: Any, test_images: np.ndarray) -> None:
    few = test_images[:20]
    found = dl.predict("half-seed1", few, mc_samples=30)
    assert found.monte_carlo is not None
    np.testing.assert_array_equal(found.probs, dl.predict("half-seed1", few, mc_samples=30).probs)
    assert not np.array_equal(found.probs, dl.predict("half-seed1", few, mc_samples=30, seed=1).probs)
    frame = found.to_frame()
    assert frame["mutual_information"].gt(0).all()
    assert (frame["mutual_information"] <= frame["entropy"]).all()
    plain = -np.sum(found.probs * np.log(found.probs), axis=1)
    np.testing.assert_allclose(frame["entropy"], plain, rtol=1e-4)
    fixed = dl.predict("none-seed1", few, mc_samples=3)
    assert fixed.to_frame()["mutual_information"].eq(0).all()
    assert len(fixed.notes) == 1
    assert "has no dropout" in fixed.notes[0]
    with pytest.raises(UsageError, match="mc_samples: -1"):
        dl.predict("none-seed1", few, mc_samples=-1)


NETWORK = """
import keras


@keras.saving.register_keras_serializable("own")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def build(input_shape, num_classes):
    layers = [keras.Input(input_shape), Twice(), keras.layers.Dropout(0.5), keras.layers.Dense(num_classes)]
    return keras.Sequential(layers)
"""


@pytest.mark.slow
def test_own_layers_and_standardized_features_predict_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("network.py").write_text(NETWORK)
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = (rng.normal(5, 30, (120, 6)) + 40 * y[:, None]).astype(np.float32)
    np.savez("data.npz", x_train=x[:80], y_train=y[:80], x_test=x[80:], y_test=y[80:])
    dl.run(
        model="network.py:build",
        data="data.npz",
        conditions={"half": 0.5},
        seeds=1,
        epochs=2,
        batch_size=20,
        experiment="own",
        progress=False,
    )
    Path("network.py").unlink()
    Path("data.npz").unlink()
    found = dl.predict("half-seed0", x[80:])
    np.testing.assert_allclose(found.probs, logged_probs("half-seed0"), atol=HALF_PRECISION)
    np.testing.assert_allclose(found.probs.sum(axis=1), 1, atol=1e-5)
