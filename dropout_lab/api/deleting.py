"""Delete runs and experiments; `dropout-lab delete` asks first."""

from collections.abc import Callable, Sequence

from dropout_lab.api.results import warn
from dropout_lab.libraries import quiet_libraries


def delete(references: str | Sequence[str], *, note: Callable[[str], None] = warn) -> None:
    """Delete experiments or runs for good, without asking: entries, artifacts and models.

    The names of experiments are free afterwards. An MLflow server only marks entries as deleted; their files
    are deleted, and the names are free.

    Args:
        references: Names of experiments, or runs: name, ID or its beginning, or ``EXPERIMENT/RUN``.
        note: Called with a message if files cannot be deleted. [default: a warning]

    Raises:
        UsageError: If one does not exist, or an alias of a registered model points to it; nothing was
            deleted, as for the next.
        DropoutLabError: If a run is being trained.
        TrackingError: If the store cannot be used.
    """
    with quiet_libraries():
        from dropout_lab.runs.deleting import delete as delete_planned
        from dropout_lab.runs.deleting import plan_deletion

        chosen = [references] if isinstance(references, str) else list(references)
        delete_planned(plan_deletion(chosen), note)
