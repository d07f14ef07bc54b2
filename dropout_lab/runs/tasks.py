"""Tasks of workers: train a planned run, or continue the run of a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dropout_lab.runs.messages import Message
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.workspace import State, Workspace, workspaces


@dataclass(frozen=True)
class Task:
    """One run for a worker.

    Attributes:
        run: The run.
        threads: Number of threads that it has to compute with; 0 if any number will do.
        fresh: Whether it is retrained even if it is finished or interrupted.
        folder: Workspace that it continues from, or whose result it uploads; empty to look for the run by its
            settings.
    """

    run: PlannedRun
    threads: int = 0
    fresh: bool = False
    folder: str = ""

    @property
    def workspace(self) -> Workspace | None:
        """The workspace that it continues from, if it names one."""
        return Workspace(Path(self.folder)) if self.folder else None

    def to_json(self) -> Message:
        """Return the task in a form that JSON keeps, for `from_json`."""
        return {"run": self.run.to_json(), "fresh": self.fresh, "folder": self.folder}

    @classmethod
    def from_json(cls, content: Message) -> "Task":
        """Return the task that `to_json` kept; its number of threads is that of the worker."""
        run = PlannedRun.from_json(content["run"])
        return cls(run, fresh=content["fresh"], folder=content["folder"])


def training_tasks(runs: Sequence[PlannedRun], *, fresh: bool = False) -> list[Task]:
    """Return the tasks that train `runs`; those that were interrupted keep their number of threads.

    Args:
        runs: Planned runs.
        fresh: Whether they are retrained even if they are finished or interrupted.
    """
    started = {}
    for workspace in () if fresh else workspaces():
        state = workspace.read()
        if state is not None and workspace.has_checkpoint and (threads := recorded_threads(state)):
            started[state.run.origin.experiment, state.run.name, state.run.spec_fingerprint] = threads
    return [
        Task(run, started.get((run.origin.experiment, run.name, run.spec_fingerprint), 0), fresh)
        for run in runs
    ]


def recorded_threads(state: State) -> int:
    """Return the number of threads that a run was started with, on which its bits depend; 0 if unknown."""
    count = state.identity.arithmetic.get("threads", "") if state.identity is not None else ""
    return int(count) if count.isdecimal() else 0
