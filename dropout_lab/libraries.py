"""The environment variables that TensorFlow, Keras and MLflow read; standard library only."""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

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
FIXED = {"KERAS_BACKEND": "tensorflow"}
"""Variables that have one right value here, whatever the user has set."""
WITHOUT_SCREEN = {"MPLBACKEND": "Agg"}
"""Set by commands alone: their plots are files; another backend may be missing, or want a screen."""

REMOVED = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")
"""Variables by which Keras would train less, or otherwise, than the spec asks for."""

NO_HOME = "/nonexistent"
"""Home of a user without one, as Debian names it: no library can write there, so each takes its fallback."""


LOGGERS = {"mlflow": logging.CRITICAL, "tensorflow": logging.ERROR}
"""Loggers and the level below which they are silent."""


def set_variables() -> None:
    """Set the environment variables that the libraries read; standard-library code reads none of them."""
    os.environ.update(_variables())
    os.environ.update(WITHOUT_SCREEN)
    for name in REMOVED:
        os.environ.pop(name, None)


def _variables() -> dict[str, str]:
    """Return the variables to set, with the values that the user has given where these may differ."""
    defaults = QUIET | IMPATIENT | FAST
    variables = {name: os.environ.get(name, value) for name, value in defaults.items()} | FIXED
    if os.path.expanduser("~") == "~":  # noqa: PTH111 - pathlib raises
        variables["HOME"] = NO_HOME
    return variables


class _Surroundings:
    """Variables and loggers as the first of several calls found them, restored after the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._num_calls = 0
        self._before: dict[str, str | None] = {}
        self._set: dict[str, str] = {}
        self._levels: dict[str, int] = {}

    def enter(self) -> None:
        with self._lock:
            self._num_calls += 1
            if self._num_calls > 1:
                return
            self._set = _variables()
            self._before = {name: os.environ.get(name) for name in (*self._set, *REMOVED)}
            os.environ.update(self._set)
            for name in REMOVED:
                os.environ.pop(name, None)
            self._levels = {name: logging.getLogger(name).level for name in LOGGERS}
            if "mlflow" not in sys.modules:
                self._levels["mlflow"] = logging.INFO  # which its import would set
            if self._before["MLFLOW_LOGGING_LEVEL"]:  # the user wants to see its messages
                del self._levels["mlflow"]
            for name in self._levels:
                logging.getLogger(name).setLevel(LOGGERS[name])

    def leave(self) -> None:
        with self._lock:
            self._num_calls -= 1
            if self._num_calls:
                return
            for name, value in self._before.items():
                if os.environ.get(name) != self._set.get(name):
                    continue  # changed since
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            for name, level in self._levels.items():
                if name in sys.modules:
                    logging.getLogger(name).setLevel(level)


_SURROUNDINGS = _Surroundings()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Set, inside this context, the variables and loggers that the libraries read, and restore them after.

    For calls from Python, whose process is the user's; contexts on several threads may overlap. What a
    library reads only when it is imported keeps its value if it is imported inside.
    """
    _SURROUNDINGS.enter()
    try:
        yield
    finally:
        _SURROUNDINGS.leave()


KERAS_CONFIG = "keras.src.backend.config"
"""Module of Keras that knows the folder of its settings and cache."""


@contextmanager
def without_keras_settings() -> Iterator[None]:
    """Hide the user's keras.json while Keras is imported inside this context.

    It may choose another image layout, precision or backend, or make the import fail. Keras reads the
    file when it is imported, and never again. Its cache of datasets stays where the user has it.
    """
    imported = KERAS_CONFIG in sys.modules
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
            if not imported and (config := sys.modules.get(KERAS_CONFIG)):
                _restore_cache(config, given or "~/.keras")


def _restore_cache(config: ModuleType, folder: str) -> None:
    """Make `folder` the one in which Keras caches datasets, and create it as Keras does.

    Keras has read the folder from KERAS_HOME when it was imported; no public name changes it afterwards.
    """
    vars(config)["_KERAS_DIR"] = expanded = os.path.expanduser(folder)  # noqa: PTH111
    with suppress(OSError):
        os.makedirs(expanded, exist_ok=True)  # noqa: PTH103
