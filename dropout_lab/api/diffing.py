"""Compare the records of two runs from Python."""

from typing import TYPE_CHECKING

from dropout_lab.libraries import quiet_libraries

if TYPE_CHECKING:
    from dropout_lab.comparison.run_diff import Change


def diff(first: str, second: str) -> "tuple[Change, ...]":
    """Return the differences between two runs, as ``dropout-lab diff --all`` shows them.

    Args:
        first: Run name, run ID or its beginning, or ``EXPERIMENT/RUN``.
        second: The other run, likewise.

    Returns:
        Changes of spec, run, code, versions, fingerprints and metrics, each with both values.

    Raises:
        UsageError: If a reference matches no run, or more than one.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    with quiet_libraries():
        from dropout_lab.comparison.run_diff import diff_runs
        from dropout_lab.tracking import find_run

        return diff_runs(find_run(first), find_run(second))
