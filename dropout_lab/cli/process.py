"""Prepare the process of a command before anything heavy is imported; standard library only.

Libraries read the environment, the standard streams and the warning filters when they are imported. Importing
`dropout_lab` changes none of them: only a command does, here.
"""

import codecs
import logging
import os
import sys
import tempfile
import unicodedata
import warnings
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

STAND_IN = "dropout_lab.stand_in"
"""Name of the error handler for characters that an encoding lacks."""

STAND_INS = {
    "\N{BLACK UP-POINTING TRIANGLE}": "^",
    "\N{BLACK DOWN-POINTING TRIANGLE}": "v",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{BOX DRAWINGS LIGHT VERTICAL}": "|",
} | {chr(0x2581 + level): str(level + 1) for level in range(8)}  # bars of a sparkline, from low to high


def prepare_process() -> None:
    """Prepare streams, environment, warnings and loggers; may be called more than once."""
    _open_missing_streams()
    _allow_all_characters()
    set_variables()
    _ignore_warnings()
    # Each run of a spec compiles functions of its own, which TensorFlow warns of as if it were a mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


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


def stand_in(text: str, encoding: str) -> str:
    """Return `text` with stand-ins for the characters that `encoding` lacks."""
    return text.encode(encoding, STAND_IN).decode(encoding)


def _open_missing_streams() -> None:
    """Give a closed standard stream the null device: libraries write to it, and its number must be taken.

    A file opened later would get the free number, and whatever native code logs would go into that file.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _allow_all_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=STAND_IN)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(character: str) -> str:
    without_accents = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return STAND_INS.get(character) or without_accents or "?"


codecs.register_error(STAND_IN, _stand_in)


def _ignore_warnings() -> None:
    """Ignore warnings of other packages, which would end the command if the user made them errors."""
    asked_for = sys.warnoptions and not any(option.startswith("error") for option in sys.warnoptions)
    if asked_for:
        return
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    os.environ.pop("PYTHONWARNINGS", None)  # for processes that this one starts
