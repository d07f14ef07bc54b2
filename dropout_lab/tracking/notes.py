"""Notes to the user about the store, through the logger ``dropout_lab``, which prints them on stderr."""

import logging
from functools import cache

from dropout_lab.redaction import redact


@cache
def note_once(text: str) -> None:
    """Log `text` as a warning, once per process."""
    logging.getLogger("dropout_lab").warning("Note: %s", redact(text))
