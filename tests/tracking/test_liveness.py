"""Whether a run's process still exists, by machine, process id and start time."""

import os
import platform
import time

import psutil

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
