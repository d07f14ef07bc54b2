"""The test images that a network is least certain about, with their true and predicted classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from dropout_lab.plotting.pixels import shown_pixels
from dropout_lab.plotting.style import LIGHT, Theme, default_settings, new_figure, plain

Floats = npt.NDArray[np.floating[Any]]

COLUMNS = 4
NUM_IMAGES = 12


@dataclass(frozen=True, kw_only=True)
class UncertainImage:
    """One test image.

    Attributes:
        number: Its place in the test set, from 0.
        pixels: (height, width) or (height, width, 3), 0 to 1.
        true_class, predicted_class: Names.
        entropy: Predictive entropy, in nats.
    """

    number: int
    pixels: Floats
    true_class: str
    predicted_class: str
    entropy: float

    @property
    def is_right(self) -> bool:
        """Whether the predicted class is the true one."""
        return self.true_class == self.predicted_class


def uncertain_images(
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    probs: Floats,
    entropy: Floats,
    class_names: Sequence[str],
    num_images: int = NUM_IMAGES,
) -> tuple[UncertainImage, ...]:
    """Return the images with the highest entropy, from the highest on; of equal ones the first.

    Args:
        images: (n, height, width, channels), stored values; two channels or more than three show the first.
        labels: True classes, (n,).
        probs: Class probabilities, (n, num_classes).
        entropy: Predictive entropy, (n,), in nats.
        class_names: Name of each class, by class number.
        num_images: Most images to return.
    """
    order = np.argsort(-entropy, kind="stable")[:num_images]
    return tuple(
        UncertainImage(
            number=int(one),
            pixels=pixels,
            true_class=class_names[labels[one]],
            predicted_class=class_names[probs[one].argmax()],
            entropy=float(entropy[one]),
        )
        for one, pixels in zip(order, shown_pixels(images, order), strict=True)
    )


@default_settings()
def draw_uncertain_images(images: Sequence[UncertainImage], theme: Theme = LIGHT) -> Figure:
    """Draw the images in rows, each with its entropy, its true and its predicted class."""
    rows = -(-len(images) // COLUMNS)
    figure = new_figure(1.75 * rows + 0.1, theme, width=5.4)
    all_axes = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for image, axes in zip(images, all_axes, strict=False):
        axes.imshow(image.pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        predicted = (
            "predicted correctly" if image.is_right else f"predicted {plain(image.predicted_class, 14)}"
        )
        axes.set_title(f"{plain(image.true_class, 18)}", fontsize=8.5, color=theme.foreground, pad=3)
        axes.set_xlabel(
            f"{predicted}\n{image.entropy:.2f} nats", fontsize=7.5, labelpad=2,
            color=theme.good if image.is_right else theme.bad,
        )  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_color(theme.muted)
    for axes in all_axes:
        axes.set_axis_off()
    return figure


def describe(images: Sequence[UncertainImage]) -> str:
    """Return in words which classes are confused."""
    return "; ".join(
        f"image {one.number}: {one.true_class}, predicted {one.predicted_class}, {one.entropy:.2f} nats"
        for one in images
    )
