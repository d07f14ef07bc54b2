"""The workspace of an unfinished run: one folder with its lock, state, checkpoints and result.

It lives under ``mlruns/.dropout_lab/`` until the tracking store has everything. The folder alone says which
run it is: nothing is derived again from the spec, the code or the environment of a later command.
"""

import hashlib
import json
import platform
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from dropout_lab.errors import DropoutLabError
from dropout_lab.files import LockHeldError, move_durably, write_atomically
from dropout_lab.leases import Lease, LeaseLostError, hold_on_all_hosts, owner_of
from dropout_lab.records import DataFingerprint, RunStart
from dropout_lab.runs.identity import Identity
from dropout_lab.runs.planning import PlannedRun

STATE_ROOT = Path("mlruns/.dropout_lab")
_STATE = "run.json"
_MANIFEST = "manifest.json"
_leases: dict[Path, Lease] = {}
"""Leases that this process holds, by the workspace's folder."""


class RunLockedError(DropoutLabError):
    """Another process trains the run at this moment."""


@dataclass(frozen=True)
class State:
    """What a workspace knows of its run.

    Attributes:
        run: The run as it was planned.
        identity: What its weights follow from; None if another version of dropout_lab began it.
        store: Address of its tracking store, without secrets.
        data_folder: Folder of the images of Fashion-MNIST; empty for other data.
        run_id: Its MLflow run; empty until that is created.
        start_id: Name of that creation, by which a run is found that was created but not noted here.
        start: What was logged at its start, to log it again if its MLflow run is gone.
    """

    run: PlannedRun
    identity: Identity | None
    store: str
    data_folder: str = ""
    run_id: str = ""
    start_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    start: RunStart | None = None

    @property
    def reference(self) -> str:
        """The shortest text by which commands find the run: the beginning of its id, else its name."""
        return self.run_id[:8] or self.run.name

    def stands_for(self, run: PlannedRun) -> bool:
        """Return whether this is a run of the same experiment, condition and seed as `run`."""
        own = self.run
        return (own.origin.experiment, own.name) == (run.origin.experiment, run.name)

    def to_json(self) -> dict[str, Any]:
        """Return the state in a form that JSON keeps."""
        return {**asdict(self), "run": self.run.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` kept. Raises ValueError, KeyError or TypeError if it is damaged."""
        identity, start = content.get("identity"), content.get("start")
        if start is not None:
            data = {**start["data"], "class_names": tuple(start["data"].get("class_names", ()))}
            start = RunStart(**{**start, "data": DataFingerprint(**data)})
        return cls(
            run=PlannedRun.from_json(content["run"]),
            identity=None if identity is None else Identity(**identity),
            store=content.get("store", ""),
            data_folder=content.get("data_folder", ""),
            run_id=content.get("run_id", ""),
            start_id=content["start_id"],
            start=start,
        )


@dataclass(frozen=True)
class Workspace:
    """The folder of one unfinished run. Its methods that write need its lock."""

    path: Path

    @classmethod
    def of(cls, identity: Identity, experiment: str, store: str) -> Self:
        """Return the workspace of a run of `identity` that is logged to `experiment` in `store`."""
        text = "\n".join((identity.key, experiment, store))
        return cls(STATE_ROOT / hashlib.sha256(text.encode()).hexdigest()[:32])

    @property
    def name(self) -> str:
        """The name of its run, or of the folder if its state is damaged."""
        state = self.read()
        return self.path.name if state is None else state.run.name

    @property
    def result(self) -> Path:
        """The folder of the finished training's result."""
        return self.path / "result"

    @property
    def has_result(self) -> bool:
        """Whether training is done and only the upload is pending."""
        return self.result.exists()

    @property
    def has_checkpoint(self) -> bool:
        """Whether some of the training is saved."""
        return any(self.path.glob("*.checkpoint"))

    @contextmanager
    def locked(self, notify: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Hold the workspace's lock, on all hosts that share it, and create its folder if it is missing.

        Args:
            notify: Called with a sentence if the lock of another host delays this.

        Raises:
            RunLockedError: If another process holds the lock.
        """
        lock = self.path.with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        key = self.path.absolute()
        try:
            with hold_on_all_hosts(lock, notify) as lease:
                self.path.mkdir(exist_ok=True)
                _leases[key] = lease
                try:
                    yield
                finally:
                    del _leases[key]
                    if not lease.is_lost and not (self.path / _STATE).exists():
                        self.remove()
                        lock.unlink(missing_ok=True)
        except LockHeldError:
            owner = owner_of(lock)
            raise RunLockedError(
                f"Process {owner.get('pid', 'unknown')} on {owner.get('host', 'this host')}"
                " is training this run.",
                hint="Wait for it or stop it, then repeat the command.",
            ) from None

    def require_lock(self) -> None:
        """Raise RunLockedError if another host has taken the run over, since this one did not respond."""
        lease = _leases.get(self.path.absolute())
        if lease is None:
            return
        try:
            lease.require()
        except LeaseLostError:
            raise RunLockedError(
                f"This run was taken over by another host, since {platform.node()} did not respond.",
                hint="Wait for it, then repeat the command.",
            ) from None

    def read(self) -> State | None:
        """Return the state, or None if the folder is new or its state is damaged."""
        try:
            return State.from_json(self._content())
        except (KeyError, TypeError, ValueError):
            return None

    def write(self, state: State) -> None:
        """Save the state. Raises RunLockedError if another host has taken the run over."""
        self.require_lock()
        write_atomically(self.path / _STATE, json.dumps(state.to_json(), indent=1).encode())

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads((self.path / _STATE).read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def save_result(self, files: Mapping[str, bytes], model: str, save_model: Callable[[Path], None]) -> None:
        """Write a result aside, then put it in place at once.

        Args:
            files: Content of each file, by its path in the result folder.
            model: Path of the model in the result folder.
            save_model: Writes the model durably to a path.

        Raises:
            OSError: If it cannot be written; there is no result then.
            RunLockedError: If another host has taken the run over.
        """
        self.require_lock()
        aside = self.path / "result.part"
        shutil.rmtree(aside, ignore_errors=True)
        for name, data in files.items():
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        save_model(aside / model)
        manifest = {name: _sha256(aside / name) for name in (*files, model)}
        write_atomically(aside / _MANIFEST, json.dumps(manifest, indent=1).encode())
        move_durably(aside, self.result)

    def result_problem(self) -> str:
        """Return which file of the result is missing or damaged; empty if the result is whole."""
        try:
            manifest = json.loads((self.result / _MANIFEST).read_bytes())
            for name, checksum in manifest.items():
                if _sha256(self.result / name) != checksum:
                    return f"{name} is damaged"
        except OSError as error:
            return f"{Path(error.filename or self.result).name} cannot be read ({error.strerror})"
        except (ValueError, AttributeError):
            return f"{_MANIFEST} is damaged"
        return ""

    def remove_result(self) -> None:
        """Delete the result, but not the checkpoints that it was made from."""
        shutil.rmtree(self.result, ignore_errors=True)

    def clear(self) -> None:
        """Delete everything in the folder."""
        self.remove()
        self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Delete the folder. Raises RunLockedError if another host has taken the run over."""
        self.require_lock()
        # The state first: a process killed in here leaves a folder without a run, not a run without files.
        (self.path / _STATE).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)


def workspaces() -> list[Workspace]:
    """Return the workspaces of the current folder that hold a run, without taking their locks."""
    return [Workspace(path.parent) for path in sorted(STATE_ROOT.glob(f"*/{_STATE}"))]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
