"""The memory that is left is that of the machine or of its container, whichever is less."""

import pytest

from dropout_lab.data import memory
from dropout_lab.errors import DataError


def test_a_container_limits_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    machine = memory.available_bytes()
    assert machine > 2**20
    (tmp_path / "memory.stat").write_text("anon 3000\nfile 900000\n")
    for limit, expected in (("10000", 7000), ("2000", 0)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        assert memory.available_bytes() == expected
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() > 2**20


def test_the_size_is_told(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 2 * 2**30)
    memory.check_memory(2 * 2**30, "d")
    with pytest.raises(DataError, match=r"d: 2.5 GiB of data do not fit into memory \(2.0 GiB available\)"):
        memory.check_memory(5 * 2**29, "d")
