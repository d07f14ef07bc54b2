"""Log lines of native code are hidden; nothing else is."""

import os
import sys

import pytest

from dropout_lab.native_log import without_native_log


def test_only_log_lines_are_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), without_native_log():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\n")
        os.write(2, b"I0000 00:00:1795661990.534985 19240 port.cc:153] oneDNN custom operations are on.\n")
        os.write(2, b"E0000 00:00:1795661990.534985 19240 cuda.cc:1] something failed\n")
        print("of the user", file=sys.stderr, flush=True)
        raise ValueError
    shown = capfd.readouterr().err
    assert "something failed" in shown
    assert "of the user" in shown
    assert "oneDNN" not in shown
    assert "WARNING" not in shown
