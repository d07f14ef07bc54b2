"""The dataset and its parts, as a spec states them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dropout_lab.spec.base import Frozen, Seed


def _check_validation(value: Any) -> Any:
    """Accept `test`, a fraction or a count, with one message instead of a union's three."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 60_000
    is_fraction = isinstance(value, float) and 0 < value < 1
    if value == "test" or is_count or is_fraction:
        return value
    raise PydanticCustomError(
        "validation",
        "test, a fraction between 0 and 1, or a count of images from 1 to 59,999",
    )


class DataSpec(Frozen):
    """Images for training, validation and test."""

    folder: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Folder of the four IDX files. Default: DROPOUT_LAB_DATA, the Keras cache, then the system folder."""
    validation: Annotated[Literal["test"] | float | int, BeforeValidator(_check_validation)] = "test"
    """`test` (as published), or a fraction (0 to 1) or count of images split from the training set."""
    split_seed: Seed = 0
    """Seed of the validation split, shared by all runs so that all train on the same images."""
    num_train: Annotated[int, Field(ge=10, le=60_000)] | None = None
    """Number of training images to use, from the first (before the split). Default: all."""
    num_test: Annotated[int, Field(ge=10, le=10_000)] | None = None
    """Number of test images to use, from the first. Default: all."""
    resample: bool = False
    """Draw other training and validation images for each seed, the same in all conditions."""
