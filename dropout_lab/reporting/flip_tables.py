"""Tables of the test images that flip between right and wrong at most seeds, with the images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from dropout_lab.comparison.flips import Flips, find_flips
from dropout_lab.comparison.results import Comparison
from dropout_lab.plotting import TestPredictions
from dropout_lab.plotting.pixels import shown_pixels, thumbnail
from dropout_lab.reporting.tables import TextTable

MAX_IMAGES = 20
"""Most images of one condition, or of all if there are many."""
MIN_IMAGES = 5
"""Images of one condition that are shown however many conditions there are."""

ReadImages = Callable[[], npt.NDArray[Any] | None]
"""Returns the test images, (n, height, width, channels), stored values; None if they cannot be had."""


@dataclass(frozen=True)
class FlipTable:
    """The images of one condition that flip at most seeds.

    Attributes:
        table: One row per image.
        thumbnails: PNG files by what the column ``Image`` has; empty if the images cannot be had.
    """

    table: TextTable
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)


def flip_tables(
    comparison: Comparison,
    predictions: Mapping[str, TestPredictions],
    class_names: Sequence[str],
    read_images: ReadImages = lambda: None,
) -> list[FlipTable]:
    """Return a table for each condition with enough pairs.

    Args:
        comparison: The comparison.
        predictions: Test predictions by run ID.
        class_names: Names of the classes, by class number.
        read_images: Called once if images are to be shown.
    """
    reference = comparison.reference
    flips = find_flips(comparison.runs, predictions, comparison.conditions, reference)
    limit = max(MIN_IMAGES, MAX_IMAGES // max(1, len(flips)))
    chosen = sorted({one.image for found in flips for one in found.images[:limit]})
    images = read_images() if chosen else None
    thumbnails = {}
    if images is not None:
        pixels = shown_pixels(images, chosen)
        thumbnails = {str(one): thumbnail(own) for one, own in zip(chosen, pixels, strict=True)}
    return [FlipTable(flip_table(one, reference, class_names, limit), thumbnails) for one in flips]


def flip_table(
    flips: Flips, reference: str, class_names: Sequence[str], limit: int = MAX_IMAGES
) -> TextTable:
    """Return the images of one condition that flip at most seeds, at most `limit` of them."""

    def class_name(number: int) -> str:
        return class_names[number] if number < len(class_names) else f"class {number}"

    gained = sum(one.is_gained for one in flips.images)
    lost = len(flips.images) - gained
    shown = f"; the first {limit} are shown" if len(flips.images) > limit else ""
    return TextTable(
        f"Images that flip in at least {flips.min_seeds} of {flips.num_pairs} seeds: {gained} that only "
        f"{flips.condition} gets right, {lost} that only {reference} gets right{shown}",
        ("Image", "True class", "Right", "Mistaken for", "Seeds"),
        tuple(
            (
                str(one.image),
                class_name(one.label),
                flips.condition if one.is_gained else reference,
                class_name(one.mistaken_for),
                str(one.num_seeds),
            )
            for one in flips.images[:limit]
        ),
    )
