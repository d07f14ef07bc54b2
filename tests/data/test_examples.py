"""Image files and arrays become the stored values that a model was trained on, or are refused in words."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from dropout_lab.data.examples import as_examples, read_examples
from dropout_lab.data.input_form import InputForm
from dropout_lab.data.scaling import UNIT_PIXELS, Scaling
from dropout_lab.errors import DataError

GRAY = InputForm(shape=(8, 6, 1), dtype="uint8", scaling=UNIT_PIXELS, class_names=("a", "b"))
COLOR = InputForm(shape=(8, 6, 3), dtype="uint8", scaling=UNIT_PIXELS, class_names=("a", "b"))
FEATURES = InputForm(shape=(4,), dtype="float32", scaling=Scaling(), class_names=("a", "b"))
WORDS = InputForm(shape=(5,), dtype="int32", scaling=Scaling(to_float=False), class_names=("a", "b"))
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 6), dtype=np.uint8)


def save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    PIL.Image.fromarray(values).save(path)
    return path


def test_an_image_of_the_right_size_and_mode_is_taken_as_it_is(tmp_path):
    found = read_examples([save(tmp_path / "one.png", PIXELS)], GRAY)
    assert found.notes == ()
    assert found.inputs.dtype == np.uint8
    np.testing.assert_array_equal(found.inputs, PIXELS[np.newaxis, ..., np.newaxis])


def test_conversions_are_told_in_one_line_for_all_images_alike(tmp_path):
    color = np.stack([PIXELS, PIXELS, PIXELS], axis=-1)
    save(tmp_path / "a.png", PIXELS)
    save(tmp_path / "b.png", color)
    for name in ("c.png", "d.jpg"):
        save(tmp_path / name, np.repeat(np.repeat(color, 2, axis=0), 3, axis=1))
    found = read_examples([tmp_path], GRAY)
    assert [Path(name).name for name in found.names] == ["a.png", "b.png", "c.png", "d.jpg"]
    assert found.notes == (
        f"{tmp_path / 'b.png'}: converted color to grayscale",
        "2 images: converted color to grayscale, resized 16x18 to 8x6",
    )
    assert found.inputs.shape == (4, 8, 6, 1)
    np.testing.assert_array_equal(found.inputs[1], found.inputs[0])


def test_hidden_folders_and_tracking_stores_below_a_folder_are_left_alone(tmp_path):
    expected = [save(tmp_path / "a.png", PIXELS), save(tmp_path / "deeper" / "b.png", PIXELS)]
    for folder in ("mlruns/1/run/artifacts/plots", "mlartifacts/1", ".git", "deeper/.ipynb_checkpoints"):
        (tmp_path / folder).mkdir(parents=True)
        save(tmp_path / folder / "plot.png", PIXELS)
    found = read_examples([tmp_path], GRAY)
    assert found.names == tuple(map(str, expected))
    named = tmp_path / "mlruns" / "1" / "run" / "artifacts" / "plots"
    assert read_examples([named], GRAY).names == (str(named / "plot.png"),), "a folder that is named counts"


def test_grayscale_becomes_color_and_transparency_is_told(tmp_path):
    clear = np.dstack([PIXELS, PIXELS, PIXELS, PIXELS])
    found = read_examples([save(tmp_path / "a.png", PIXELS), save(tmp_path / "b.png", clear)], COLOR)
    assert [note.rpartition(": ")[2] for note in found.notes] == [
        "converted grayscale to color",
        "converted color with transparency to color",
    ]
    np.testing.assert_array_equal(found.inputs[0, ..., 2], PIXELS)


def test_arrays_are_one_example_or_a_batch(tmp_path):
    np.save(tmp_path / "one.npy", PIXELS)
    np.save(tmp_path / "two.npy", np.stack([PIXELS, PIXELS]).astype(np.float64))
    found = read_examples([tmp_path / "one.npy", tmp_path / "two.npy"], GRAY)
    assert [Path(name).name for name in found.names] == ["one.npy", "two.npy[0]", "two.npy[1]"]
    assert found.inputs.shape == (3, 8, 6, 1)
    assert found.inputs.dtype == np.uint8
    assert as_examples(np.zeros(4), FEATURES).shape == (1, 4)
    assert as_examples(np.zeros((7, 4)), FEATURES).dtype == np.float32
    assert as_examples(np.arange(10).reshape(2, 5), WORDS).dtype == np.int32


@pytest.mark.parametrize(
    ("values", "form", "words"),
    [
        (PIXELS[:5], GRAY, r"shape \(5, 6\) \(allowed: \(8, 6, 1\), or \(n, 8, 6, 1\)"),
        (np.empty((0, 8, 6)), GRAY, r"shape \(0, 8, 6, 1\)"),
        (PIXELS / 255, GRAY, r"floats from 0\.\d+ to 0\.\d+, but the model was trained on integers"),
        (PIXELS + 0.5, GRAY, "allowed: integers from 0 to 255"),
        (PIXELS.astype(int) - 300, GRAY, "allowed: integers from 0 to 255"),
        (np.full(4, np.nan), FEATURES, "finite"),
        (np.array(["a"] * 4), FEATURES, "allowed: numbers"),
        (np.arange(5) + 2**40, WORDS, "allowed: integers"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(values, form, words):
    with pytest.raises(DataError, match=words):
        as_examples(values, form)


def test_files_that_make_no_sense_are_refused(tmp_path):
    image = save(tmp_path / "image.png", PIXELS)
    (tmp_path / "text.txt").write_text("no image")
    (tmp_path / "broken.png").write_text("no image")
    (tmp_path / "broken.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    PIL.Image.fromarray((PIXELS.astype(np.uint16)) * 200).save(tmp_path / "deep.png")
    (tmp_path / "empty").mkdir()
    for name, words in {
        "imag.png": r"file not found \(did you mean 'image.png'",
        "text.txt": "unknown suffix",
        "broken.png": "not an image",
        "broken.npy": "not an array",
        "objects.npy": "not an array",
        "deep.png": "8 bits per channel",
        "empty": "no images",
    }.items():
        with pytest.raises(DataError, match=words):
            read_examples([tmp_path / name], GRAY)
    with pytest.raises(DataError, match=r"float32 values of shape \(4,\), which no image file holds"):
        read_examples([image], FEATURES)
