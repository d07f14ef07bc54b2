"""Leases: two hosts whose file locks do not see each other never hold the same one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dropout_lab import leases
from dropout_lab.files import LockHeldError
from dropout_lab.leases import LeaseLostError, hold_on_all_hosts, host_id, owner_of

OTHER_HOST = """
import contextlib, sys, time
from pathlib import Path
from dropout_lab import leases
leases.hold_lock = lambda *_, **__: contextlib.nullcontext()
leases.host_id = lambda: sys.argv[2]
leases.platform.node = lambda: sys.argv[2]
leases.RENEW_SECONDS, leases.LOST_SECONDS = 0.05, 1.0
path = Path(sys.argv[1])
"""
HOLD = """
with leases.hold_on_all_hosts(path):
    print("held", flush=True)
    input()
"""
INCREMENT = """
leases.LOST_SECONDS = 20.0
counter = path.with_name("counter")
for _ in range(5):
    while True:
        try:
            with leases.hold_on_all_hosts(path) as lease:
                value = int(counter.read_text())
                time.sleep(0.02)
                lease.require()
                counter.write_text(str(value + 1))
            break
        except leases.LockHeldError:
            time.sleep(0.01)
"""


def on_host(name: str, code: str, path: Path) -> subprocess.Popen[str]:
    """Start a process that takes itself for one on another host, and sees no file lock of this one."""
    return subprocess.Popen(
        [sys.executable, "-c", OTHER_HOST + code, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock file on a file system whose locks hold on one host only, and a short patience."""

    @contextmanager
    def no_lock(*_: object, **__: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(leases, "hold_lock", no_lock)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(leases, "LOST_SECONDS", 1.0)
    return tmp_path / "run.lock"


def held_by(name: str, lock: Path) -> subprocess.Popen[str]:
    process = on_host(name, HOLD, lock)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_of_a_living_host_is_refused_and_one_of_a_dead_host_taken_over(lock: Path) -> None:
    other = held_by("node-b", lock)
    notes: list[str] = []
    with pytest.raises(LockHeldError), hold_on_all_hosts(lock, notes.append):
        pass
    assert notes == ["Waiting up to 1 s to see whether node-b still works on this run."]
    assert (owner_of(lock)["host"], owner_of(lock)["pid"]) == ("node-b", other.pid)
    other.kill()
    other.communicate()
    with hold_on_all_hosts(lock) as lease:
        lease.require()
        assert owner_of(lock)["host_id"] == host_id()
    assert not list(lock.parent.iterdir())


def test_a_lock_that_is_given_up_is_free_at_once(lock: Path) -> None:
    held_by("node-b", lock).communicate("\n")
    notes: list[str] = []
    with hold_on_all_hosts(lock, notes.append):
        assert notes == []


def test_a_dead_process_of_this_host_keeps_nobody_waiting(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps({"host_id": host_id(), "token": "dead"})
    for number in (3, 4):
        lock.with_name(f"{lock.name}.lease.{number}").write_text(content)
    monkeypatch.setattr(leases, "LOST_SECONDS", 1000.0)
    with hold_on_all_hosts(lock):
        assert [file.suffix for file in lock.parent.glob("*.lease.*")] == [".5"]


@pytest.mark.parametrize("take", ["newer", "gone", "another's"])
def test_an_owner_finds_out_that_it_lost_its_lease(lock: Path, take: str) -> None:
    with hold_on_all_hosts(lock) as lease:
        lease.require()
        (file,) = lock.parent.glob("*.lease.*")
        if take == "newer":
            file.with_suffix(".2").write_text("{}")
        elif take == "gone":
            file.unlink()
        else:
            file.write_text('{"token": "another"}')
        lease._renew()
        with pytest.raises(LeaseLostError):
            lease.require()
    assert file.exists() is (take == "another's"), "an owner gives up its own lease only"


@pytest.mark.slow
def test_hosts_take_turns(lock: Path) -> None:
    (lock.parent / "counter").write_text("0")
    hosts = [on_host(f"node-{number}", INCREMENT, lock) for number in range(4)]
    for host in hosts:
        host.communicate(timeout=120)
        assert host.returncode == 0
    assert (lock.parent / "counter").read_text() == "20"
    assert sorted(file.name for file in lock.parent.iterdir()) == ["counter"]
