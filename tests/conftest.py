"""What all tests share: the small dataset that ships with them, and no setting of the user's."""

import os
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SUBSET = REPOSITORY / "tests" / "data" / "fashion-mnist"
"""1,000 training and 500 test images."""

hypothesis.settings.register_profile("dropout_lab", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("dropout_lab")

USERS_DATA = os.environ.get("DROPOUT_LAB_DATA")

for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID", "MLFLOW_REGISTRY_URI"):
    os.environ.pop(variable, None)
os.environ["DROPOUT_LAB_DATA"] = str(SUBSET)
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def subset() -> Path:
    """Folder of the small dataset, which DROPOUT_LAB_DATA names too."""
    return SUBSET


@pytest.fixture(scope="session")
def whole_dataset() -> Path:
    """Folder of the official dataset; skips where it is not on this machine."""
    from dropout_lab.learning.data_files import DEBIAN_FOLDER, keras_cache, missing_files

    places = [Path(USERS_DATA)] if USERS_DATA else [keras_cache(), DEBIAN_FOLDER]
    for folder in places:
        if not missing_files(folder):
            return folder
    pytest.skip("needs the whole dataset: `dropout-lab data` fetches it")
