"""Atomic file writes, and locks between processes."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dropout_lab.errors import DropoutLabError

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})


class LockHeldError(Exception):
    """Another process holds the lock."""


class LocksUnsupportedError(DropoutLabError):
    """The file system has no locks."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically (temporary file and rename)."""
    aside = path.with_name(f"{path.name}.part")
    try:
        aside.write_bytes(content)
        move_durably(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def move_durably(source: Path, target: Path) -> None:
    """Rename `source` to `target`, which it replaces, so that a power failure undoes all of it or nothing.

    Args:
        source: File, or folder whose files are on disk already.
        target: New path, in the same file system.

    Raises:
        OSError: If the content cannot be written to disk or the rename fails.
    """
    _sync(source)
    source.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    """Wait until `path` is on disk. Only POSIX systems can do this for a folder."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def hold_lock(path: Path, *, timeout_seconds: float = -1) -> Iterator[None]:
    """Hold the lock of the file `path`, which is created, with its folder, if it is missing.

    The operating system keeps the lock and releases it when the process ends, however it ends.

    Args:
        path: Lock file. Its holder may delete it; a process that waits for it then locks a new file.
        timeout_seconds: Time to wait for another process; negative waits without limit.

    Raises:
        LockHeldError: If another process still holds the lock after `timeout_seconds`.
        LocksUnsupportedError: If the file system has no locks.
        OSError: If the file cannot be opened for writing.
    """
    from filelock import FileLock, Timeout

    # A lock that is only a file would outlive a killed process, and block its run.
    lock = FileLock(path, timeout=timeout_seconds, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise LockHeldError(str(path)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise LocksUnsupportedError(
            f"{path} cannot be locked: the file system ({file_system(path)}) does not support file locks "
            f"({errno.errorcode.get(error.errno or 0, error.errno)}).",
            hint="Use a folder on a local disk, or mount the file system with locking enabled.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool | None:
    """Return whether a process holds the lock of `path`; None if that cannot be found out."""
    try:
        if not path.is_file():
            return None
        with hold_lock(path, timeout_seconds=0):
            return False
    except LockHeldError:
        return True
    except (OSError, LocksUnsupportedError):
        return None


def file_system(path: Path) -> str:
    """Return the type and the mount point of the file system of `path`, such as ``nfs4 at /home``."""
    import psutil

    absolute = path.absolute()
    mounts = [
        (Path(mount.mountpoint), mount.fstype)
        for mount in psutil.disk_partitions(all=True)
        if absolute.is_relative_to(mount.mountpoint)
    ]
    if not mounts:
        return "unknown"
    mount_point, kind = max(mounts, key=lambda mount: len(mount[0].parts))
    return f"{kind} at {mount_point}"
