"""Variables and loggers of the libraries: set inside a call from Python, and restored after the last one."""

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dropout_lab.libraries import FIXED, QUIET, REMOVED, quiet_libraries


def test_variables_and_loggers_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.delenv("MLFLOW_LOGGING_LEVEL", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("MPLBACKEND", "module://of_a_notebook")
    monkeypatch.setenv(REMOVED[0], "3")
    # Levels are restored of what is imported by then.
    monkeypatch.setitem(sys.modules, "tensorflow", sys.modules.get("tensorflow", logging))
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "level", logging.INFO)
    before = dict(os.environ)
    with quiet_libraries():
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == QUIET["TF_CPP_MIN_LOG_LEVEL"]
        assert os.environ["KERAS_BACKEND"] == FIXED["KERAS_BACKEND"]
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false", "the user's own choice"
        assert os.environ["MPLBACKEND"] == "module://of_a_notebook"
        assert REMOVED[0] not in os.environ
        assert logger.level == logging.ERROR
    assert dict(os.environ) == before
    assert logger.level == logging.INFO


def test_what_was_changed_inside_stays_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    with quiet_libraries():
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "99")
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "99"


def test_overlapping_calls_restore_after_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_PYTHON_REFRESH", raising=False)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet_libraries():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with quiet_libraries():
        thread.start()
        assert entered.wait(10)
    assert os.environ["GIT_PYTHON_REFRESH"] == "quiet", "the other call still needs it"
    leave.set()
    thread.join()
    assert "GIT_PYTHON_REFRESH" not in os.environ


def test_keras_caches_datasets_where_the_user_has_them(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"floatx": "nonsense"}')
    code = (
        "from dropout_lab.libraries import without_keras_settings\n"
        "with without_keras_settings():\n    import keras\n"
        "print(keras.config.floatx(), keras.utils.get_file('x', origin='file:///dev/null'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
    )
    assert result.stdout.splitlines()[-1] == f"float32 {tmp_path}/datasets/x"
