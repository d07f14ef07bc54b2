"""Whether a run's process still exists, by machine, process id and start time."""

import errno
import os
import platform
import subprocess
import sys
import time

import psutil
import pytest

from dropout_lab.tracking import liveness


def tags(machine: str, pid: int, started: float, silent_seconds: float = 0.0) -> dict[str, str]:
    return {
        "dropout_lab.process": f"{machine}:{pid}:{started:.2f}",
        "dropout_lab.heartbeat": str(int((time.time() - silent_seconds) * 1000)),
    }


def test_this_process_lives():
    assert not liveness.is_gone(liveness.process_tags())


def test_a_process_that_ended_is_gone_however_recent_its_heartbeat():
    ended = psutil.Popen(["true"])
    started = time.time()
    ended.wait()
    assert liveness.is_gone(tags(platform.node(), ended.pid, started))


def test_a_later_process_of_the_same_id_is_another_one():
    started = psutil.Process().create_time()
    assert liveness.is_gone(tags(platform.node(), os.getpid(), started - 3600))
    assert not liveness.is_gone(tags(platform.node(), os.getpid(), started))


def test_a_process_elsewhere_is_gone_after_a_long_silence():
    short, long = liveness.HEARTBEAT_LOST_SECONDS - 60, liveness.HEARTBEAT_LOST_SECONDS + 60
    assert not liveness.is_gone(tags("another:machine", 1, 0.0, short))
    assert liveness.is_gone(tags("another:machine", 1, 0.0, long))


def test_a_run_without_or_with_unreadable_tags_is_taken_for_running():
    assert not liveness.is_gone({})
    assert not liveness.is_gone({"dropout_lab.process": "nonsense"})
    assert not liveness.is_gone({"dropout_lab.process": f"{platform.node()}:x:y"})
    assert not liveness.is_gone({"dropout_lab.process": "elsewhere:1:1.0", "dropout_lab.heartbeat": "x"})


HOLD = """
import sys
from dropout_lab.tracking import liveness
for name, value in liveness.process_tags().items():
    print(name, value)
print(flush=True)
sys.stdin.read()
"""


def test_the_lock_decides_whatever_the_clock_says(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    monkeypatch.chdir(tmp_path / "old")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as trainer:
        assert trainer.stdout is not None
        lines = iter(trainer.stdout.readline, "\n")
        run_tags = dict(line.split(maxsplit=1) for line in map(str.strip, lines))
        machine, pid, started = run_tags["dropout_lab.process"].rsplit(":", 2)
        shifted = {**run_tags, "dropout_lab.process": f"{machine}:{pid}:{float(started) + 3600:.2f}"}
        silent = {**shifted, "dropout_lab.heartbeat": "1"}
        elsewhere = {**silent, "dropout_lab.process": f"other:{pid}:{started}"}
        for one in (run_tags, shifted, silent, elsewhere):
            assert not liveness.is_gone(one)
        (tmp_path / "old").rename(tmp_path / "new")  # while it trains
        monkeypatch.chdir(tmp_path / "new")
        assert not liveness.is_gone(shifted)
        trainer.kill()
    for one in (run_tags, shifted, silent):
        assert liveness.is_gone(one)


def test_a_process_that_ends_in_order_leaves_no_lock_file(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", HOLD], input="", capture_output=True, text=True, check=True, cwd=tmp_path
    )
    run_tags = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line)
    assert liveness.is_gone(run_tags)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_without_locks_the_process_is_looked_for(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(liveness, "_locks", {})
    monkeypatch.setattr(fcntl, "flock", refuse)
    own = liveness.process_tags()
    assert own["dropout_lab.lock"] == ""
    assert not liveness.is_gone(own)
