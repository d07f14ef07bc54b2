"""Prepare the process of a command before anything heavy is imported; standard library only.

Libraries read the environment, the standard streams and the warning filters when they are imported. Importing
`dropout_lab` changes none of them: only a command does, here.
"""

import codecs
import logging
import os
import sys
import unicodedata
import warnings

from dropout_lab.libraries import set_variables

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
