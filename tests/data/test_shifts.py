from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import rotate

from dropout_lab.data.images import CHUNK_SIZE
from dropout_lab.data.shifts import SHIFTS, shift_images
from dropout_lab.errors import DataError, UsageError
from dropout_lab.evaluation.robustness import SEVERITIES, SHIFT_NAMES

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)
COLOUR = RANDOM.normal(size=(40, 12, 16, 3)).astype(np.float32)


def dot() -> np.ndarray:
    """100 black images with a white pixel at (14, 14)."""
    images = np.zeros((100, 28, 28, 1), dtype=np.uint8)
    images[:, 14, 14] = 255
    return images


def test_names_are_those_of_the_metrics():
    assert tuple(SHIFTS) == SHIFT_NAMES


@pytest.mark.parametrize("images", [GRAY, COLOUR], ids=["uint8", "float32"])
@pytest.mark.parametrize("name", SHIFTS)
def test_every_severity_keeps_shape_dtype_and_range_and_changes_more(name, images):
    before = images.copy()
    distances = [0.0]
    for severity in SEVERITIES:
        shifted = shift_images(images, name, severity)
        assert (shifted.shape, shifted.dtype) == (images.shape, images.dtype)
        assert images.min() <= shifted.min()
        assert shifted.max() <= images.max()
        distances.append(float(np.abs(shifted.astype(float) - images).mean()))
    # Pixels of noise are as far from their neighbors as from any other pixel.
    if name in ("noise", "blur", "contrast"):
        assert distances == sorted(distances)
    assert min(distances[1:]) > 0
    assert np.array_equal(images, before)


@pytest.mark.parametrize("name", SHIFTS)
def test_equal_arguments_give_equal_images_and_severity_0_the_same(name):
    assert np.array_equal(shift_images(GRAY, name, 3), shift_images(GRAY, name, 3))
    assert np.array_equal(shift_images(GRAY, name, 0), GRAY)
    assert np.array_equal(shift_images(GRAY, name, 3)[:7], shift_images(GRAY[:7], name, 3))
    if name in ("noise", "translation", "rotation"):
        assert not np.array_equal(shift_images(GRAY, name, 3), shift_images(GRAY, name, 3, seed=1))


def test_chunks_change_nothing(monkeypatch):
    whole = {name: shift_images(GRAY, name, 2) for name in SHIFTS}
    assert GRAY.size < CHUNK_SIZE
    monkeypatch.setattr("dropout_lab.data.shifts.CHUNK_SIZE", 28 * 28 * 8)
    for name, images in whole.items():
        assert np.array_equal(shift_images(GRAY, name, 2), images), name


@pytest.mark.parametrize("severity", SEVERITIES)
def test_noise_has_the_stated_standard_deviation(severity):
    images = np.full((100, 28, 28, 1), 0.5, dtype=np.float32)
    images[0, 0, 0], images[0, 0, 1] = -9.5, 10.5  # a range of 20
    noise = shift_images(images, "noise", severity)[1:] - 0.5
    # The median of distances, which the cut at the ends of the range does not touch.
    assert np.median(np.abs(noise)) / 0.67449 / 20 == pytest.approx(
        SHIFTS["noise"].amounts[severity - 1], rel=0.02
    )
    assert abs(noise.mean()) < 0.1


@pytest.mark.parametrize("severity", SEVERITIES)
def test_blur_spreads_a_dot_by_the_stated_standard_deviation(severity):
    images = np.zeros((1, 56, 56, 1), dtype=np.float32)
    images[0, 28, 28] = 1
    blurred = shift_images(images, "blur", severity)[0, ..., 0]
    places = np.arange(56) - 28
    # Twice 28 pixels: twice the distance.
    assert np.sqrt((blurred.sum(0) * places**2).sum()) == pytest.approx(
        2 * SHIFTS["blur"].amounts[severity - 1], rel=0.02
    )
    assert blurred.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_contrast_keeps_means_and_the_stated_part_of_the_spread(severity):
    lower = shift_images(COLOUR, "contrast", severity)
    assert lower.mean((1, 2)) == pytest.approx(COLOUR.mean((1, 2)), abs=1e-5)
    kept = lower.std((1, 2)) / COLOUR.std((1, 2))
    assert kept == pytest.approx(np.full((40, 3), SHIFTS["contrast"].amounts[severity - 1]), rel=1e-4)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_translation_moves_by_whole_pixels_of_28_in_four_directions(severity):
    distance = int(SHIFTS["translation"].amounts[severity - 1])
    moved = shift_images(dot(), "translation", severity)
    places = {tuple(np.argwhere(image[..., 0])[0]) for image in moved}
    assert places == {(14 + y, 14 + x) for y in (-distance, distance) for x in (-distance, distance)}
    assert (moved.sum((1, 2, 3)) == 255).all()


@pytest.mark.parametrize("severity", SEVERITIES)
def test_rotation_agrees_with_scipy(severity):
    angle = SHIFTS["rotation"].amounts[severity - 1]
    rotated = shift_images(COLOUR, "rotation", severity)
    low = float(COLOUR.min())
    both = [
        rotate(COLOUR, sign * angle, axes=(1, 2), reshape=False, order=1, mode="grid-constant", cval=low)
        for sign in (1, -1)
    ]
    errors = np.array([np.abs(rotated - one).max(axis=(1, 2, 3)) for one in both])
    assert errors.min(axis=0).max() < 1e-5
    assert set(errors.argmin(axis=0)) == {0, 1}


@pytest.mark.parametrize(
    ("name", "severity", "message"),
    [
        ("nois", 1, "Unknown shift 'nois' (did you mean 'noise'?) (allowed: noise, blur,"),
        ("noise", 6, "Unknown severity 6 (allowed: 0 to 5)"),
    ],
)
def test_unknown_names_are_refused(name, severity, message):
    with pytest.raises(UsageError) as error:
        shift_images(GRAY, name, severity)
    assert message in str(error.value)


@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 20), (5, 1, 28, 1), (5, 8, 8, 5)])
def test_only_images_are_shifted(shape):
    with pytest.raises(DataError, match="no images"):
        shift_images(np.zeros(shape, dtype=np.float32), "noise", 1)


def test_the_amounts_of_the_documentation_are_these():
    page = (Path(__file__).resolve().parents[2] / "docs" / "robustness.md").read_text(encoding="utf-8")
    for name, shift in SHIFTS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert tuple(float(cell) for cell in row.split("|")[3:8]) == shift.amounts
