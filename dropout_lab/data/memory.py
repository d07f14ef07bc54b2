"""Memory: datasets that do not fit are refused before they are read."""

from pathlib import Path

from dropout_lab.errors import DataError

CGROUP = Path("/sys/fs/cgroup")


def check_memory(num_bytes: int, where: str) -> None:
    """Check that arrays of `num_bytes` fit into the memory that is available now.

    Args:
        num_bytes: Size of the arrays.
        where: Begins the message.

    Raises:
        DataError: If they do not fit.
    """
    available = available_bytes()
    if num_bytes > available:
        raise DataError(
            f"{where}: {num_bytes / 2**30:.1f} GiB of data do not fit into memory "
            f"({available / 2**30:.1f} GiB available)",
            hint="Use fewer examples, smaller images or a smaller dtype such as uint8, or a larger machine.",
        )


def available_bytes() -> int:
    """Return the memory that the process can still take: of the machine, or of its container."""
    import psutil

    available = int(psutil.virtual_memory().available)
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        usage = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no container, or one of another kind
        return available
    if not limit.isdecimal():
        return available
    return min(available, max(0, int(limit) - int(usage.get("anon", 0))))  # cached files give way
