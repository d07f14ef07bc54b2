from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dropout_lab.files import write_atomically

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
