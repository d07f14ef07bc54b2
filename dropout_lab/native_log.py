"""Log lines of native code, which go to the file descriptor whatever Python does; standard library only."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LOG_LINE = re.compile(
    rb"[IW]\d{4} |[IW]0000 |WARNING: All log messages before absl::InitializeLog|\[[-\d]+ [\d:,]+ [IW] "
)
"""How lines of information and warnings begin in the log of Abseil, which TensorFlow uses, and of Ray."""


@contextmanager
def without_native_log() -> Iterator[None]:
    """Hide, inside this context, the log lines of native code below errors; all else is shown afterwards."""
    try:
        shown = os.dup(2)
    except OSError:  # the stream is closed
        yield
        return
    with tempfile.TemporaryFile() as log:
        sys.stderr.flush()
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
            log.seek(0)
            for line in log:
                if not _LOG_LINE.match(line):
                    os.write(2, line)
