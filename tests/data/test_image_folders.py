"""Folders of class subfolders of images."""

import numpy as np
import pytest
from PIL import Image

from dropout_lab.data import memory
from dropout_lab.data.opening import open_source
from dropout_lab.errors import DataError
from dropout_lab.spec import DataSpec


def save(path, color=(0, 0, 0), size=(4, 6), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), color).save(path, **options)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Ten images each of cats, which are red, and owls, which are green; 4 high and 6 wide."""
    monkeypatch.chdir(tmp_path)
    for number in range(10):
        save(tmp_path / "photos" / "owl" / f"{number}.png", (0, 100 + number, 0))
        save(tmp_path / "photos" / "cat" / "deeper" / f"{number}.PNG", (100 + number, 0, 0))
    return tmp_path / "photos"


def opened(**fields):
    return open_source(DataSpec(dataset="photos/", **fields))


def test_images_have_the_names_of_their_folders_as_classes(photos):
    source = opened()
    assert source.class_names == ("cat", "owl")
    assert source.train_inputs.shape == (16, 4, 6, 3)
    assert source.test_inputs.shape == (4, 4, 6, 3)
    for inputs, labels in (
        (source.train_inputs, source.train_labels),
        (source.test_inputs, source.test_labels),
    ):
        assert np.array_equal(inputs.any(axis=(1, 2))[:, :2], np.eye(2)[labels])
        assert np.bincount(labels).tolist() == [len(labels) / 2] * 2
    assert len(set(source.train_labels[:6].tolist())) == 2, "the first images are of all classes"
    assert (source.name, source.location, source.notes) == ("photos", "photos", ())


def test_hidden_folders_and_the_tracking_store_are_no_classes(photos):
    before = opened()
    for folder in (".cache", "mlruns", "cat/.ipynb_checkpoints"):
        save(photos / folder / "0.png", (9, 9, 9))
    after = opened()
    assert after.class_names == ("cat", "owl")
    assert before.checksums == after.checksums
    assert after.notes == ()


def test_equal_folders_have_equal_checksums_wherever_they_are(photos, monkeypatch, tmp_path):
    before = opened()
    photos.rename(tmp_path / "moved")
    (tmp_path / "moved" / ".DS_Store").write_text("")
    after = open_source(DataSpec(dataset="./moved"))
    assert before.checksums == after.checksums
    assert opened_seed(1).checksums != before.checksums


def opened_seed(seed):
    return open_source(DataSpec(dataset="./moved", test_seed=seed))


def test_a_test_folder_is_used_and_others_are_named(photos, tmp_path):
    (tmp_path / "all").mkdir()
    photos.rename(tmp_path / "all" / "train")
    for name in ("cat", "owl"):
        save(tmp_path / "all" / "test" / name / "1.jpg", (200, 0, 0), quality=95)
        save(tmp_path / "all" / "val" / name / "1.jpg")
    source = open_source(DataSpec(dataset="all/"))
    assert len(source.train_labels) == 20
    assert source.test_labels.tolist() in ([0, 1], [1, 0])
    assert source.notes == ("all: not used: val",)
    with pytest.raises(DataError, match=r"data.test_split: no effect, since all has a test part"):
        open_source(DataSpec(dataset="all/", test_split=0.3))


def test_images_are_resized_and_converted(photos):
    save(photos / "owl" / "large.png", (0, 200, 0), (40, 60))
    assert opened(image_size=8).train_inputs.shape == (17, 8, 8, 3)
    assert opened(image_size=(2, 3), color_mode="grayscale").train_inputs.shape == (17, 2, 3, 1)
    rgba = opened(image_size=5, color_mode="rgba").train_inputs
    assert rgba.shape == (17, 5, 5, 4)
    assert (rgba[..., 3] == 255).all()
    with pytest.raises(
        DataError, match=r"photos/owl/large.png: 40 x 60 pixels, others 4 x 6|others 40 x 60"
    ) as caught:
        opened()
    assert "data.image_size=[" in caught.value.hint


def test_an_image_is_turned_as_its_exif_data_say(photos):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    save(photos / "cat" / "turned.jpg", (255, 0, 0), (6, 4), exif=exif)
    assert opened().train_inputs.shape[1:] == (4, 6, 3)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut off"])
def test_an_image_that_is_none_is_named(photos, content):
    (photos / "owl" / "wrong.png").write_bytes(content)
    with pytest.raises(DataError, match=r"^photos/owl/wrong.png: (not an image|damaged)"):
        opened()


def test_an_image_that_was_cut_off_is_named(photos):
    noise = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
    path = photos / "owl" / "cut.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"^photos/owl/cut.png: damaged"):
        opened()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_images_of_more_than_8_bits_are_refused(photos, dtype):
    deep = np.full((4, 6), 200, dtype) * 100
    Image.fromarray(deep).save(photos / "owl" / "deep.tiff")
    with pytest.raises(DataError, match=r"^photos/owl/deep.tiff: pixels of mode .*: 8 bits per") as caught:
        opened(color_mode="grayscale")
    assert "array" in caught.value.hint


def test_files_that_are_no_images_are_counted(photos):
    (photos / "owl" / "notes.txt").write_text("seen in May")
    (photos / "readme.md").write_text("")
    (note,) = opened().notes
    assert note.startswith("photos: 2 files are no images (known: .bmp, .gif, .jpeg, ")


def test_folders_without_classes_or_images_are_refused(photos, tmp_path):
    (photos / "emu").mkdir()
    with pytest.raises(
        DataError, match=r"data.dataset: photos/: no images in emu \(allowed: one subfolder per"
    ):
        opened()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty/: no images \(allowed"):
        open_source(DataSpec(dataset="empty/"))
    with pytest.raises(DataError, match=r"phots/: folder not found in .* \(did you mean 'photos'\?\)"):
        open_source(DataSpec(dataset="phots/"))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be read: Not a directory"):
        open_source(DataSpec(dataset="./file"))
    photos.rename(tmp_path / "test")
    with pytest.raises(DataError, match="a folder test, but no folder train"):
        open_source(DataSpec(dataset="./"))


def test_one_image_of_a_class_cannot_be_divided(photos):
    save(photos / "emu" / "1.png")
    with pytest.raises(DataError, match="only one example of class 'emu'"):
        opened()


def test_the_size_is_told_before_images_are_read(photos, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 20 * 4 * 6 * 3 - 1)
    with pytest.raises(DataError, match="do not fit into memory"):
        opened()
