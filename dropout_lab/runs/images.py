"""Whether the data of conditions that change training images at random are images."""

from collections.abc import Iterable, Mapping

from dropout_lab.errors import UsageError
from dropout_lab.spec import DataSpec, Settings


def check_images(all_settings: Iterable[Settings], input_shapes: Mapping[DataSpec, tuple[int, ...]]) -> None:
    """Check that settings with an augmentation have images, larger than the padding of their crop.

    Args:
        all_settings: Settings of conditions.
        input_shapes: Shape of one example, by data settings.

    Raises:
        UsageError: If one has others.
    """
    for settings in all_settings:
        augmentation, shape = settings.training.augmentation, input_shapes[settings.data]
        if augmentation is None:
            continue
        if len(shape) != 3:
            raise UsageError(
                f"training.augmentation: inputs of shape {shape} from {settings.data.dataset} are no images"
                " (allowed: height, width, channels)",
                hint="Remove training.augmentation.",
            )
        if augmentation.crop >= min(shape[:2]):
            raise UsageError(
                f"training.augmentation.crop: invalid value: {augmentation.crop}"
                f" (allowed: below {min(shape[:2])}, for images of shape {shape})"
            )
