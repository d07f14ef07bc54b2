"""The environment variables that TensorFlow, Keras and MLflow read; standard library only."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

QUIET = {
    # Every failure reaches us as an exception; MLflow logs the same again, with a traceback.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
IMPATIENT = {
    # MLflow's own patience is 8 tries of 120 s, minutes in which training would stand still. What
    # fails is sent again later, and by calls that look at what is there first (see `tracking.writer`).
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
FAST = {
    # Off by default on AMD processors without AVX-512, where it makes a step 1.2 to 1.5 times faster.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
FIXED = {
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",  # plots are files; another backend may be missing, or want a screen
}
"""Variables that have one right value here, whatever the user has set."""

REMOVED = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")
"""Variables by which Keras would train less, or otherwise, than the spec asks for."""

NO_HOME = "/nonexistent"
"""Home of a user without one, as Debian names it: no library can write there, so each takes its fallback."""


def set_variables() -> None:
    """Set the environment variables that the libraries read; standard-library code reads none of them."""
    for name, value in (QUIET | IMPATIENT | FAST).items():
        os.environ.setdefault(name, value)
    os.environ.update(FIXED)
    for name in REMOVED:
        os.environ.pop(name, None)
    if os.path.expanduser("~") == "~":  # noqa: PTH111 - pathlib raises
        os.environ["HOME"] = NO_HOME


@contextmanager
def without_keras_settings() -> Iterator[None]:
    """Hide the user's keras.json while Keras is imported inside this context.

    It may choose another image layout, precision or backend, or make the import fail. Keras reads the
    file when it is imported, and never again.
    """
    given = os.environ.get("KERAS_HOME")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["KERAS_HOME"] = empty
        try:
            yield
        finally:
            if given is None:
                del os.environ["KERAS_HOME"]
            else:
                os.environ["KERAS_HOME"] = given
