"""The terminal: results on stdout, messages on stderr, and log lines of other packages on neither."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from dropout_lab.libraries import without_keras_settings
from dropout_lab.redaction import redact

if TYPE_CHECKING:
    from dropout_lab.cli.safe_console import SafeConsole


NO_LIMIT = 10_000
"""Width, in columns, of a terminal that no table fills."""


class TextOrJson(StrEnum):
    """Formats of commands that print one result."""

    TEXT = "text"
    JSON = "json"


class Color(StrEnum):
    """When output is colored. AUTO: on a terminal, unless NO_COLOR is set, or if FORCE_COLOR is."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass
class _OutputStyle:
    quiet: bool = False
    verbose: bool = False
    color: Color = Color.AUTO


_style = _OutputStyle()


def set_output_style(*, quiet: bool = False, verbose: bool = False, color: Color = Color.AUTO) -> None:
    """Set how much this command prints, and whether in color."""
    _style.quiet, _style.verbose, _style.color = quiet, verbose, color


def is_quiet() -> bool:
    """Return whether only results are printed: no progress, no hints."""
    return _style.quiet


def is_verbose() -> bool:
    """Return whether details are printed."""
    return _style.verbose


def stdout() -> "SafeConsole":
    """Return the console for results."""
    from dropout_lab.cli.safe_console import SafeConsole

    return SafeConsole(**_width(sys.stdout), **_how_to_write(sys.stdout))


def stderr() -> "SafeConsole":
    """Return the console for everything except results."""
    from dropout_lab.cli.safe_console import SafeConsole

    return SafeConsole(stderr=True, **_width(sys.stderr), **_how_to_write(sys.stderr))


def progress() -> "SafeConsole":
    """Return the console for progress, which `--quiet` leaves out."""
    console = stderr()
    console.quiet = is_quiet()
    return console


def _width(stream: TextIO) -> dict[str, int]:
    """Return the width for rich: a file or a pipe has none at which lines would have to break."""
    return {} if stream.isatty() else {"width": NO_LIMIT}


def _how_to_write(stream: TextIO) -> dict[str, Any]:
    """Return options for rich, which takes FORCE_COLOR for a terminal whose cursor can be moved."""
    if _style.color is Color.NEVER:
        return {"color_system": None}
    if stream.isatty():
        return {"no_color": False, "color_system": "standard"} if _style.color is Color.ALWAYS else {}
    if _style.color is Color.ALWAYS:
        return {"force_terminal": False, "no_color": False, "color_system": "standard"}
    colors = "standard" if os.environ.get("FORCE_COLOR") else None
    return {"force_terminal": False, "color_system": colors}


def printable(text: str) -> str:
    """Return `text` without secrets, and with its control characters escaped."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in redact(text))


def print_json(value: object) -> None:
    """Print `value` as JSON on stdout, without secrets, and with numbers that are not finite as null."""
    import json
    import math

    def finite(part: object) -> object:
        if isinstance(part, float) and not math.isfinite(part):
            return None
        if isinstance(part, datetime):
            return part.isoformat()
        if isinstance(part, dict):
            return {str(key): finite(item) for key, item in part.items()}
        if isinstance(part, list | tuple):
            return [finite(item) for item in part]
        return redact(part) if isinstance(part, str) else part

    print(json.dumps(finite(value), indent=2, allow_nan=False))


@contextmanager
def starting(what: str) -> Iterator[None]:
    """Show that `what` is being started, and hide what native code logs meanwhile.

    TensorFlow writes log lines to the file descriptor when it is imported and when it first looks for
    devices, whatever its log level. They are shown if the start fails.
    """
    console = progress()
    sys.stderr.flush()
    shown = sys.stderr
    same = shown.encoding, shown.errors
    with tempfile.TemporaryFile() as log, os.fdopen(os.dup(2), "w", -1, *same) as terminal:
        console.file = sys.stderr = terminal
        os.dup2(log.fileno(), 2)
        try:
            with console.status(f"Starting {what} ..."):
                yield
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt) and not hasattr(error, "exit_code"):
                log.seek(0)
                terminal.write(log.read().decode(errors="replace"))
            raise
        finally:
            terminal.flush()
            os.dup2(terminal.fileno(), 2)
            sys.stderr = shown


@contextmanager
def starting_tensorflow() -> Iterator[None]:
    """Show that TensorFlow is being started, as `starting` does, and import Keras with its own settings."""
    with starting("TensorFlow"):
        with without_keras_settings():
            import dropout_lab.training.devices  # noqa: F401
        yield
