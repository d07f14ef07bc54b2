"""The dataset and its parts, as a spec states them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from dropout_lab.spec.base import Arguments, Frozen, Seed
from dropout_lab.spec.dataset_names import DATASETS

DATASET_IN_WORDS = (
    f"{', '.join(DATASETS)}, module:function, file.py:function, a .npz file, or a folder with a slash, such "
    "as photos/"
)
MAX_PIXELS = 4096

Form = Literal["name", "function", "npz", "folder"]
"""What a dataset is given as."""

APPLY_TO: dict[str, tuple[Form, ...]] = {
    "arguments": ("function",),
    "image_size": ("folder",),
    "color_mode": ("folder",),
    "test_split": ("function", "npz", "folder"),
    "test_seed": ("function", "npz", "folder"),
}
"""Fields of `DataSpec` that not all datasets have, with the forms that do, besides those of named ones."""


def form_of(dataset: str) -> Form | None:
    """Return what `dataset` is given as; None if it is nothing."""
    if dataset in DATASETS:
        return "name"
    if dataset.endswith(".npz"):
        return "npz"
    if ":" in dataset[1:-1]:
        return "function"
    return "folder" if "/" in dataset else None


def _check_dataset(value: Any) -> Any:
    """Accept a name, or what looks like a function, a file or a folder."""
    if isinstance(value, str) and value.isprintable() and len(value) <= 4096 and form_of(value):
        return value
    raise PydanticCustomError("dataset", DATASET_IN_WORDS)


def _check_validation(value: Any) -> Any:
    """Accept `test`, a fraction or a count, with one message instead of a union's three."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    is_fraction = isinstance(value, float) and 0 < value < 1
    if value == "test" or is_count or is_fraction:
        return value
    raise PydanticCustomError(
        "validation", "test, a fraction between 0 and 1, or a count of examples of at least 1"
    )


def _to_size(value: Any) -> Any:
    """Return one size as height and width, and a list as a tuple."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


Pixels = Annotated[int, Field(ge=1, le=MAX_PIXELS)]


class DataSpec(Frozen):
    """Examples for training, validation and test."""

    dataset: Annotated[
        str,
        BeforeValidator(_check_dataset),
        WithJsonSchema({"anyOf": [{"enum": list(DATASETS)}, {"type": "string", "maxLength": 4096}]}),
    ] = "fashion_mnist"
    """`fashion_mnist`, `mnist`, `cifar10`, `cifar100`, `digits`, a function (`file.py:function` or
    `module:function`) that returns `(x_train, y_train), (x_test, y_test)` or `(x, y)`, an `.npz` file with
    these arrays, or a folder of class subfolders of images, such as `photos/`."""
    arguments: Arguments = Field(default={})
    """Keyword arguments of the function."""
    folder: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Folder of the four IDX files of `fashion_mnist`. Default: DROPOUT_LAB_DATA, the Keras cache, then the
    system folder."""
    image_size: (
        Annotated[
            tuple[Pixels, Pixels],
            BeforeValidator(_to_size, json_schema_input_type=Pixels | tuple[Pixels, Pixels]),
        ]
        | None
    ) = None
    """Height and width to which the images of a folder are resized, or one number for both. Default: the
    size that they all have."""
    color_mode: Literal["rgb", "grayscale", "rgba"] = "rgb"
    """Channels of the images of a folder."""
    test_split: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Fraction of each class that becomes the test part, of data that have none."""
    test_seed: Seed = 0
    """Seed of that split."""
    scale: Literal["auto", "none", "unit", "standardize"] = "auto"
    """Scaling of inputs: `unit` (to [0, 1]), `standardize` (mean 0 and standard deviation 1 of each channel
    or feature of the training part), `none`, or `auto`: `unit` for images of integers from 0 to 255, `none`
    for integer sequences and for floats in [-1, 1], else `standardize`."""
    validation: Annotated[Literal["test"] | float | int, BeforeValidator(_check_validation)] = "test"
    """`test` (as published), or a fraction (0 to 1) or count of examples split from the training set."""
    split_seed: Seed = 0
    """Seed of the validation split, shared by all runs so that all train on the same examples."""
    num_train: Annotated[int, Field(ge=10)] | None = None
    """Number of training examples to use, from the first (before the split). Default: all."""
    num_test: Annotated[int, Field(ge=10)] | None = None
    """Number of test examples to use, from the first. Default: all."""
    resample: bool = False
    """Draw other training and validation examples for each seed, the same in all conditions."""

    @property
    def form(self) -> Form:
        """What the dataset is given as."""
        form = form_of(self.dataset)
        assert form is not None  # validated
        return form

    def applies(self, field: str) -> bool:
        """Return whether `field` has a meaning for the dataset."""
        if field == "folder" or (self.form == "name" and field in APPLY_TO):
            named = DATASETS.get(self.dataset)
            return named is not None and field in named.fields
        return self.form in APPLY_TO.get(field, (self.form,))

    def misplaced(self) -> Iterator[tuple[str, str]]:
        """Yield each field that is set although it does not apply, with the problem in words."""
        for name, field in type(self).model_fields.items():
            if not self.applies(name) and getattr(self, name) != field.default:
                needed = " or ".join(_IN_WORDS[form] for form in APPLY_TO.get(name, ())) or "fashion_mnist"
                yield name, f"does not apply to the dataset {self.dataset!r} (allowed: with {needed})"


_IN_WORDS: dict[Form, str] = {"function": "a function", "npz": "a .npz file", "folder": "a folder of images"}
