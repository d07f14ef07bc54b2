"""Locks that hold between hosts, on file systems whose own locks may hold on one host only.

The owner of a lease writes to its file every few seconds. A process on another host that sees no writing for
long enough takes over with the next number; the earlier owner finds that out before it saves anything. Files
are created exclusively, which network file systems do atomically, and no two clocks are compared.
"""

import json
import os
import platform
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from dropout_lab.files import LockHeldError, hold_lock

RENEW_SECONDS = 5.0
LOST_SECONDS = 30.0
"""Time without a renewal after which another host takes a lease over."""


class LeaseLostError(Exception):
    """Another host has taken over."""


@cache
def host_id() -> str:
    """Return what identifies this host: the boot of its kernel, which knows all locks that are held here.

    Containers on one host share it. Elsewhere than on Linux it is the host's name and network address.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{platform.node()}-{uuid.getnode():x}"


class Lease:
    """The lease of one owner; `renew` keeps it.

    Args:
        path: Lock file that it belongs to.
        number: Its number; a higher one is newer.
    """

    def __init__(self, path: Path, number: int) -> None:
        self._path = path
        self._number = number
        self._file = _lease_file(path, number)
        self._token = uuid.uuid4().hex
        self._num_renewals = 0
        self._ended = threading.Event()
        self._is_lost = False
        self._renewed_at = time.time()

    @property
    def is_lost(self) -> bool:
        """Whether another host is known to have taken over."""
        return self._is_lost

    def create(self) -> None:
        """Create its file. Raises FileExistsError if another process was faster."""
        with self._file.open("x", encoding="utf-8") as file:
            file.write(self._content())
        threading.Thread(target=self._keep, daemon=True).start()

    def require(self) -> None:
        """Raise LeaseLostError if another host has taken over."""
        # A host that stood still renews late.
        if not self._is_lost and time.time() - self._renewed_at > 2 * RENEW_SECONDS:
            self._renew()
        if self._is_lost:
            raise LeaseLostError

    def release(self) -> None:
        """Give the lease up."""
        self._ended.set()
        if owner_in(self._file).get("token") == self._token:
            self._file.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._is_lost and not self._ended.wait(RENEW_SECONDS):
            self._renew()

    def _renew(self) -> None:
        try:
            if _lease_file(self._path, self._number + 1).exists():
                self._is_lost = True
                return
            if owner_in(self._file, strict=True).get("token") != self._token:
                self._is_lost = True
                return
            self._num_renewals += 1
            with self._file.open("r+", encoding="utf-8") as file:
                file.write(self._content())
        except FileNotFoundError:
            self._is_lost = not self._ended.is_set()
        except OSError:
            return  # the file system is away; a later renewal finds out more
        self._renewed_at = time.time()

    def _content(self) -> str:
        owner = {"token": self._token, "host_id": host_id(), "host": platform.node(), "pid": os.getpid()}
        return json.dumps({**owner, "renewals": f"{self._num_renewals:012d}"})


@contextmanager
def hold_on_all_hosts(path: Path, notify: Callable[[str], None] = lambda _: None) -> Iterator[Lease]:
    """Hold the lock of the file `path` against processes of this host and of others that share its folder.

    Args:
        path: Lock file.
        notify: Called with a sentence if it takes up to `LOST_SECONDS` to see whether another host is alive.

    Raises:
        LockHeldError: If another process holds it.
        LocksUnsupportedError, OSError: As `hold_lock`.
    """
    with hold_lock(path, timeout_seconds=0):
        lease = _acquire(path, notify)
        try:
            yield lease
        finally:
            lease.release()


def owner_of(path: Path) -> dict[str, Any]:
    """Return host and process id of the owner of a lock, as far as they are known."""
    newest = max(_tokens(path), default=0)
    return owner_in(_lease_file(path, newest)) if newest else {}


def owner_in(file: Path, *, strict: bool = False) -> dict[str, Any]:
    """Return what a lease file says of its owner; with `strict`, raises OSError if it cannot be read."""
    try:
        content = json.loads(file.read_bytes())
    except OSError:
        if strict:
            raise
        return {}
    except ValueError:  # while it is written
        return {}
    return content if isinstance(content, dict) else {}


def _acquire(path: Path, notify: Callable[[str], None]) -> Lease:
    while True:
        before = _tokens(path)
        newest = max(before, default=0)
        if newest and not _is_lost(_lease_file(path, newest), path, notify):
            continue
        lease = Lease(path, newest + 1)
        try:
            lease.create()
        except FileExistsError:
            continue
        # A process that saw other files before may have created another number at the same time.
        others = {number: token for number, token in _tokens(path).items() if number != newest + 1}
        if others.items() <= before.items():
            for number in others:
                _lease_file(path, number).unlink(missing_ok=True)
            return lease
        lease.release()
        time.sleep(random.uniform(0.0, RENEW_SECONDS / 5))


def _is_lost(file: Path, path: Path, notify: Callable[[str], None]) -> bool:
    """Return whether the owner of a lease is dead; False if it has given the lease up.

    Raises:
        LockHeldError: If it renews the lease.
    """
    owner = owner_in(file)
    if owner.get("host_id") == host_id():
        return True  # this process holds the lock of this host
    notify(
        f"Waiting up to {LOST_SECONDS:g} s to see whether {owner.get('host', 'another host')} still works"
        " on this run."
    )
    until = time.monotonic() + LOST_SECONDS
    before = _bytes(file)
    while time.monotonic() < until:
        time.sleep(min(1.0, RENEW_SECONDS / 5))
        now = _bytes(file)
        if not now and not file.exists():
            return False
        if now != before:
            raise LockHeldError(str(path))
    return True


def _bytes(file: Path) -> bytes:
    with suppress(OSError):
        return file.read_bytes()
    return b""


def _tokens(path: Path) -> dict[int, str]:
    """Return the tokens of all leases of a lock by their numbers."""
    files = {file.suffix.removeprefix("."): file for file in path.parent.glob(f"{path.name}.lease.*")}
    return {
        int(number): str(owner_in(file).get("token")) for number, file in files.items() if number.isdecimal()
    }


def _lease_file(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.lease.{number}")
