"""A run's folder is worked on by one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from dropout_lab.execution.run_folder import STATE_ROOT, RunLockedError, open_run_folder

HOLD = """
from dropout_lab.execution.run_folder import open_run_folder
with open_run_folder("key") as folder:
    folder.write({"run_id": "abc"})
    print("held", flush=True)
    input()
"""


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunLockedError, match=f"process {holder.pid} on"), open_run_folder("key"):
        pass
    holder.kill()
    holder.communicate()
    with open_run_folder("key") as folder:
        assert folder.read()["run_id"] == "abc"


def test_a_removed_folder_takes_its_lock_file_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_run_folder("key") as folder:
        folder.remove()
    assert list(STATE_ROOT.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_a_damaged_file_counts_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_run_folder("key") as folder:
        (folder.path / "run.json").write_text(content)
        assert folder.read() == {}
