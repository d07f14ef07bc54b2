"""The test images of a run, read again from its dataset."""

from typing import Any

import numpy.typing as npt

from dropout_lab.data.at_hand import is_at_hand
from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import DataError, DropoutLabError
from dropout_lab.records import RunRecord
from dropout_lab.runs.logged_settings import read_settings
from dropout_lab.spec import DataSpec

Images = npt.NDArray[Any]


def read_test_images(
    run: RunRecord, datasets: dict[DataSpec, Dataset], *, only_at_hand: bool = False
) -> tuple[Images | None, tuple[str, ...]]:
    """Return the test images of a run, None if its inputs are none, and the names of its classes.

    Args:
        run: A run that dropout_lab trained.
        datasets: Those that were read already; is given the one of the run.
        only_at_hand: Whether data are refused that are not on this machine as files.

    Returns:
        images: (n, height, width, channels), stored values.
        class_names: By class number.

    Raises:
        DropoutLabError: If the data cannot be read, or are others now.
    """
    spec = read_settings(run).data
    if spec not in datasets:
        if only_at_hand and not is_at_hand(spec):
            raise DataError(f"the dataset {spec.dataset} is not on this machine as files.")
        datasets[spec] = load_data(spec)
    data = datasets[spec].for_seed(run.seed)
    if run.data_digest and data.fingerprint.digest != run.data_digest:
        raise DropoutLabError("the data are not those of the run.")
    return (data.test_inputs if data.test_inputs.ndim == 4 else None), data.class_names
