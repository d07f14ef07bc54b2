"""Environment variables that keep MLflow quiet and impatient; standard library only.

MLflow reads some of them when it is imported, so the package sets them before any of its modules does.
"""

import os

QUIET = {
    # Every failure reaches us as an exception; MLflow logs the same again, with a traceback.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}

IMPATIENT = {
    # MLflow's own patience is 8 tries of 120 s, minutes in which training would stand still. What
    # fails is sent again later, and by calls that look at what is there first (see `writer`).
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def prepare_environment() -> None:
    """Set what is not set yet; what the user has set is left as it is."""
    for name, value in (QUIET | IMPATIENT).items():
        os.environ.setdefault(name, value)
