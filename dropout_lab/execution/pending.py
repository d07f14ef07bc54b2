"""Runs that were begun on this machine and are not finished, or finished and not delivered."""

from dataclasses import dataclass

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.execution.planning import PlannedRun, result_versions
from dropout_lab.execution.run_folder import STATE_ROOT, RunFolder


@dataclass(frozen=True)
class PendingRun:
    """One such run.

    Attributes:
        run: As it was planned.
        run_id: In MLflow; empty if it was stopped before MLflow knew it.
        versions: That it was begun with; with others it cannot go on.
        folder: What is kept of it.
    """

    run: PlannedRun
    run_id: str
    versions: dict[str, str]
    folder: RunFolder

    @property
    def is_trained(self) -> bool:
        """Whether only the delivery to the tracking store is missing."""
        return self.folder.result.exists()

    def require_same_versions(self) -> None:
        """Raise UsageError if another version of a package would continue the run to another result."""
        for package, now in result_versions().items():
            begun_with = self.versions.get(package, "an unknown version")
            if begun_with != now:
                raise UsageError(
                    f"{self.run.name} was begun with {package} {begun_with}, and {now} is installed:"
                    " going on would mix the results of two versions.",
                    hint=f"Go back to {package} {begun_with}, or train it anew with"
                    " `dropout-lab run SPEC --fresh`.",
                )


def pending_runs() -> list[PendingRun]:
    """Return all pending runs of the current folder, without taking their locks."""
    found = []
    for path in sorted(STATE_ROOT.glob("*")):
        state = RunFolder(path).read()
        try:
            run = PlannedRun.from_json(state["run"])
        except (KeyError, TypeError, ValueError):
            continue
        found.append(PendingRun(run, state.get("run_id", ""), state.get("versions", {}), RunFolder(path)))
    return found


def choose_pending(reference: str | None) -> list[PendingRun]:
    """Return the pending runs that `reference` names: a run id or its beginning, or a name; all if None.

    Raises:
        UsageError: If it names none.
    """
    pending = pending_runs()
    if reference is None:
        return pending
    chosen = [
        one
        for one in pending
        if one.run.name == reference or (len(reference) >= 4 and one.run_id.startswith(reference))
    ]
    if not chosen:
        names = [one.run.name for one in pending]
        raise UsageError(
            f"No unfinished run of this folder has the id or the name {reference!r}"
            f"{did_you_mean(reference, names)}",
            hint=f"Unfinished are: {', '.join(names) or 'none'}.",
        )
    return chosen
