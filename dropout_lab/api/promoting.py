"""Put a trained model to use; `dropout-lab promote` prints what this returns."""

from typing import TYPE_CHECKING

from dropout_lab.libraries import quiet_libraries

if TYPE_CHECKING:
    from dropout_lab.tracking.registry import Promotion


def promote(run: str, *, name: str, alias: str = "champion") -> "Promotion":
    """Register the model of a run as a version of `name`, and point an alias to it.

    Changes nothing if that is so already.

    Args:
        run: Run name, run ID or its beginning, or ``EXPERIMENT/RUN``.
        name: Name of the registered model, which is created if it does not exist.
        alias: Alias of the version.

    Returns:
        The version, and which one had the alias before.

    Raises:
        UsageError: If there is no such run, it has no model, or a name is invalid.
        TrackingError: If the store cannot be used.
    """
    with quiet_libraries():
        from dropout_lab.tracking.registry import promote as promote_model

        return promote_model(run, name=name, alias=alias)
