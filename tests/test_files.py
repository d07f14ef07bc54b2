import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dropout_lab.files import (
    LockHeldError,
    LocksUnsupportedError,
    file_system,
    hold_lock,
    is_locked,
    move_durably,
    write_atomically,
)

resource = pytest.importorskip("resource", reason="limits of a process are POSIX")


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: what a full disk does to a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_content_is_replaced(tmp_path):
    path = tmp_path / "state"
    for content in (b"old", b"", b"new" * 1000):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_finds_no_room_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "state"
    write_atomically(path, b"old")
    with file_size_limit(1000), pytest.raises(OSError, match="File too large"):
        write_atomically(path, bytes(2000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "state", b"new")


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_move_syncs_what_it_moves_and_then_the_folder(tmp_path, monkeypatch, is_folder):
    source, target = tmp_path / "aside", tmp_path / "content"
    if is_folder:
        source.mkdir()
        (source / "model").write_bytes(b"weights")
    else:
        source.write_bytes(b"weights")
    expected = [(source.stat().st_ino, False), (tmp_path.stat().st_ino, True)]
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append((os.fstat(descriptor).st_ino, target.exists()))
    )
    move_durably(source, target)
    assert synced == expected
    assert (target / "model" if is_folder else target).read_bytes() == b"weights"


HOLD = """
import sys
from pathlib import Path
from dropout_lab.files import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path):
    path = tmp_path / "a #b%20c.lock"
    assert is_locked(path) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(path) is True
        with pytest.raises(LockHeldError), hold_lock(path, timeout_seconds=0):
            pass
        holder.kill()
    assert is_locked(path) is False
    with hold_lock(path, timeout_seconds=0):
        assert is_locked(path) is True
    assert is_locked(path) is False


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch, number):
    fcntl = pytest.importorskip("fcntl", reason="other systems lock in other ways")

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / "run.lock"
    with pytest.raises(LocksUnsupportedError) as caught, hold_lock(path):
        pass
    assert file_system(tmp_path) in caught.value.message
    assert errno.errorcode[number] in caught.value.message
    path.touch()
    assert is_locked(path) is None


def test_a_lock_file_that_cannot_be_made_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError), hold_lock(tmp_path / "file" / "lock"):
        pass


@pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="needs Linux")
def test_file_system_is_that_of_the_innermost_mount():
    assert file_system(Path("/proc/self/status")).startswith("proc at /proc")
