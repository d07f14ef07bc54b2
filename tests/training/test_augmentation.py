"""Training images change at random, each by itself, the same in all conditions of a seed."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.spec.training import Augmentation
from dropout_lab.training.augmentation import Augmenter

SHAPE = (8, 8, 2)
IMAGES = np.random.default_rng(0).integers(1, 256, (40, *SHAPE)).astype(np.uint8)


def changed(seed: int = 0, num_calls: int = 1, **changes: Any) -> np.ndarray:
    augmenter = Augmenter(Augmentation(**changes), SHAPE, seed)
    call = tf.function(augmenter)
    return np.stack([call(IMAGES).numpy() for _ in range(num_calls)])


ALL = {"flip": "horizontal_and_vertical", "translation": 0.3, "rotation": 0.1, "crop": 2}
EACH = [{name: value} for name, value in ALL.items()]


@pytest.mark.parametrize("changes", [ALL, *EACH])
def test_images_change_each_by_itself_and_the_same_at_one_seed(changes: dict[str, Any]) -> None:
    first, second = changed(**changes, num_calls=2)
    assert first.shape == IMAGES.shape
    assert first.dtype == np.float32
    assert not np.array_equal(first, second)
    same = Augmenter(Augmentation(**changes), SHAPE, 0)
    repeated = np.repeat(IMAGES[:1], 40, axis=0)
    assert len(np.unique(same(tf.constant(repeated)).numpy().reshape(40, -1), axis=0)) >= 2
    assert np.array_equal(changed(**changes)[0], first)
    assert not np.array_equal(changed(seed=1, **changes)[0], first)


def test_a_kind_of_change_does_not_depend_on_the_others() -> None:
    flipped = changed(flip="horizontal")[0]
    cropped = Augmenter(Augmentation(crop=1, flip="horizontal"), SHAPE, 0)
    cropped(tf.constant(IMAGES))
    states = [variable.numpy()[0] for variable in cropped.variables]
    (alone,) = Augmenter(Augmentation(flip="horizontal"), SHAPE, 0).variables
    assert alone.numpy()[0] in states
    assert len(set(states)) == 2
    mirrored = IMAGES[:, :, ::-1]
    is_mirrored = [np.array_equal(one, mirror) for one, mirror in zip(flipped, mirrored, strict=True)]
    is_original = [np.array_equal(one, image) for one, image in zip(flipped, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(is_mirrored, is_original, strict=True))
    assert 5 < sum(is_mirrored) < 35


def test_a_crop_is_a_shift_by_whole_pixels_that_uncovers_zeros() -> None:
    (cropped,) = changed(crop=2)
    padded = np.pad(IMAGES, [(0, 0), (2, 2), (2, 2), (0, 0)])
    parts = {(y, x): padded[:, y : y + 8, x : x + 8] for y in range(5) for x in range(5)}
    found = [
        [place for place, part in parts.items() if np.array_equal(part[i], cropped[i])] for i in range(40)
    ]
    assert all(len(places) == 1 for places in found)
    assert len({places[0] for places in found}) > 10


def test_rotation_and_translation_uncover_zeros_and_keep_the_range() -> None:
    ones = tf.fill((40, *SHAPE), 200.0)
    for changes in ({"rotation": 0.1}, {"translation": 0.4}):
        values = Augmenter(Augmentation(**changes), SHAPE, 0)(ones).numpy()
        assert values.min() == 0
        assert values.max() == pytest.approx(200, abs=1e-3)
        assert values.mean() > 100


def test_its_state_continues_a_stopped_stream() -> None:
    whole = changed(**ALL, num_calls=3)[2]
    first = Augmenter(Augmentation(**ALL), SHAPE, 0)
    for _ in range(2):
        first(tf.constant(IMAGES))
    second = Augmenter(Augmentation(**ALL), SHAPE, 0)
    for source, target in zip(first.variables, second.variables, strict=True):
        target.assign(source)
    np.testing.assert_array_equal(second(tf.constant(IMAGES)).numpy(), whole)
