"""Augmentation needs images."""

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.runs.images import check_images
from dropout_lab.spec import DataSpec, Settings
from dropout_lab.spec.training import Augmentation, TrainingSpec

FLIP, CROP = Augmentation(flip="horizontal"), Augmentation(crop=4)


@pytest.mark.parametrize(
    ("augmentation", "shape", "problem"),
    [
        (
            FLIP,
            (64,),
            r"shape \(64,\) from fashion_mnist are no images \(allowed: height, width, channels",
        ),
        (CROP, (8, 4, 1), r"crop: invalid value: 4 \(allowed: below 4, for images of shape \(8, 4, 1\)\)"),
        (CROP, (8, 5, 1), None),
        (None, (64,), None),
    ],
)
def test_what_is_no_image_is_refused(
    augmentation: Augmentation | None, shape: tuple[int, ...], problem: str | None
) -> None:
    settings = Settings(training=TrainingSpec(augmentation=augmentation))
    if problem is None:
        check_images([settings], {DataSpec(): shape})
    else:
        with pytest.raises(UsageError, match=problem):
            check_images([settings], {DataSpec(): shape})
