"""Whether a dataset is on this machine as files."""

from dropout_lab.data.idx_files import keras_cache, locate
from dropout_lab.errors import DataError
from dropout_lab.spec import DataSpec
from dropout_lab.spec.dataset_names import DATASETS


def is_at_hand(spec: DataSpec) -> bool:
    """Return whether reading the dataset of `spec` downloads nothing, and runs no code of the user's."""
    if spec.form != "name":
        return spec.form != "function"
    named = DATASETS[spec.dataset]
    if named.cached:
        return any(keras_cache().parent.glob(named.cached))
    if "folder" not in named.fields:
        return True
    try:
        return locate(spec.folder) is not None
    except DataError:
        return False
