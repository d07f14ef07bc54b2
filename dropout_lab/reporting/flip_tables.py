"""Tables of the test images that flip between right and wrong at most seeds."""

from collections.abc import Sequence

from dropout_lab.comparison.flips import Flips
from dropout_lab.reporting.tables import TextTable

MAX_IMAGES = 20


def flip_table(flips: Flips, reference: str, class_names: Sequence[str]) -> TextTable:
    """Return the images of one condition that flip at most seeds, at most 20 of them."""

    def class_name(number: int) -> str:
        return class_names[number] if number < len(class_names) else f"class {number}"

    gained = sum(one.is_gained for one in flips.images)
    lost = len(flips.images) - gained
    shown = f"; the first {MAX_IMAGES} are shown" if len(flips.images) > MAX_IMAGES else ""
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
            for one in flips.images[:MAX_IMAGES]
        ),
    )
