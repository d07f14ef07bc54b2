import numpy as np
import pytest

from dropout_lab.plotting.style import DARK
from dropout_lab.plotting.uncertain_images import describe, draw_uncertain_images, uncertain_images

IMAGES = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4, 1)
LABELS = np.array([0, 1, 2, 0, 1])
PROBS = np.eye(3)[[0, 2, 2, 1, 1]]
ENTROPY = np.array([0.1, 0.9, 0.5, 0.9, 0.2])
NAMES = ("cat", "dog", "a_$very$_long_name_of_a_class")


def found(images=IMAGES, num_images=4):
    return uncertain_images(images, LABELS, PROBS, ENTROPY, NAMES, num_images)


def test_the_most_uncertain_come_first_with_their_classes():
    assert [one.number for one in found()] == [1, 3, 2, 4]
    first = found()[0]
    assert (first.true_class, first.predicted_class, first.is_right) == ("dog", NAMES[2], False)
    assert found()[2].is_right
    assert first.pixels == pytest.approx(IMAGES[1, ..., 0] / 79)
    assert describe(found(num_images=1)) == f"image 1: dog, predicted {NAMES[2]}, 0.90 nats"


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 4)), (2, (4, 4)), (3, (4, 4, 3)), (4, (4, 4))])
def test_pixels_can_be_drawn_whatever_the_channels(channels, shape):
    images = np.random.default_rng(0).normal(size=(5, 4, 4, channels)).astype(np.float32)
    one = found(images)[0]
    assert one.pixels.shape == shape
    assert 0 <= one.pixels.min() <= one.pixels.max() <= 1


def test_images_without_contrast_are_black():
    assert not found(np.full((5, 4, 4, 1), 7, dtype=np.uint8))[0].pixels.any()


@pytest.mark.parametrize("num_images", [1, 4, 5])
def test_each_image_has_its_words(num_images):
    figure = draw_uncertain_images(found(num_images=num_images), DARK)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == num_images
    assert shown[0].get_title() == "dog"
    assert shown[0].get_xlabel() == r"predicted a_\$very\$_long…" + "\n0.90 nats"
    figure.canvas.draw()


def test_correct_predictions_are_called_so():
    figure = draw_uncertain_images(found())
    assert figure.axes[2].get_xlabel() == "predicted correctly\n0.50 nats"
