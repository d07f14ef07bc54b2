"""Look ahead at the runs of a spec from Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropout_lab.api.running import Seeds, override_texts, with_overrides
from dropout_lab.api.training import ONE_CALL_AT_A_TIME, starting
from dropout_lab.libraries import quiet_libraries
from dropout_lab.spec import Spec

if TYPE_CHECKING:
    from dropout_lab.runs.dry_run import DryRun


def dry_run(
    spec: Spec | str | Path,
    *,
    seeds: Seeds | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    workers: int | str | None = None,
    fresh: bool = False,
) -> "DryRun":
    """Return what `run` would do with a spec, as ``dropout-lab run --dry-run`` shows it.

    Nothing is trained, logged or downloaded. The time is estimated from finished runs in the tracking store
    with the same network, data size, engine and hardware.

    Args:
        spec: Path of a spec file, or a spec made in Python.
        seeds: As in `run`.
        overrides: As in `run`.
        workers: As in `run`.
        fresh: As in `run`.

    Returns:
        Runs with expected times, `seconds` of all of them, and the networks; `to_json` makes it plain.

    Raises:
        SpecError: If the spec is invalid, as for the next three.
        UsageError: If `run` would refuse it.
        DataError: If the data are missing or damaged.
        DeviceError: If a device is not available.
        TrackingError: If the tracking store cannot be read; one that does not exist yet has no runs.

    Examples:
        >>> import dropout_lab as dl
        >>> spec = dl.Spec(name="ahead", data={"dataset": "digits"}, model={"network": "mlp", "hidden": [4]})
        >>> plan = dl.dry_run(spec, seeds=2)
        >>> [one.run.name for one in plan.runs]
        ['ahead-seed0', 'ahead-seed1']
        >>> plan.seconds is None  # before the first run
        True
    """
    texts = override_texts({}, overrides, seeds)
    with ONE_CALL_AT_A_TIME, quiet_libraries():
        loaded = with_overrides(spec, texts)
        with starting("TensorFlow"):
            from dropout_lab.runs.dry_run import dry_run as look_ahead
            from dropout_lab.training.own_state import own_state
        with own_state():
            return look_ahead(loaded, None if workers is None else str(workers), fresh=fresh)
