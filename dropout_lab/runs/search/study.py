"""The Optuna study behind a search: which values come next, which trials to end, and what is kept of them.

It is kept in ``optuna.db`` beside the tracking store. Each choice depends on the trials so far and on the
number of the trial, so a search that was killed continues as it would have gone on.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lab.errors import DropoutLabError
from dropout_lab.files import LockHeldError
from dropout_lab.leases import hold_on_all_hosts
from dropout_lab.runs.search.choosing import combination, original, pruner, sampler, suggest
from dropout_lab.runs.search.trials import Trial, TrialState, search_of, study_name
from dropout_lab.runs.workspace import STATE_ROOT
from dropout_lab.spec import Spec
from dropout_lab.tracking import Location

if TYPE_CHECKING:
    import optuna

FILE = "optuna.db"
REASON = "reason"
"""Attribute of an Optuna trial: why it was pruned or failed."""
PATIENCE_SECONDS = 60
"""Time that a write waits for another process, such as a dashboard, that has the file locked."""


@contextmanager
def open_study(spec: Spec, location: Location, num_steps: int, *, fresh: bool = False) -> Iterator["Study"]:
    """Open the study of a search, which no other process may run meanwhile.

    Args:
        spec: A spec with a search.
        location: The tracking store.
        num_steps: Steps at which a trial can be pruned.
        fresh: Whether its earlier trials are deleted.

    Raises:
        DropoutLabError: If another process runs the search, or the file cannot be read or written.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    name = study_name(spec)
    file = study_file(location)
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with hold_on_all_hosts(STATE_ROOT / f"{name}.search.lock"):
            storage = optuna.storages.RDBStorage(
                f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": PATIENCE_SECONDS}}
            )
            try:
                if fresh:
                    with suppress(KeyError):
                        optuna.delete_study(study_name=name, storage=storage)
                yield Study(spec, storage, name, num_steps)
            finally:
                storage.engine.dispose()
    except LockHeldError:
        raise DropoutLabError(
            f"Another process runs the search {name}.",
            hint="Wait for it or stop it, then repeat the command.",
        ) from None
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        raise DropoutLabError(
            f"{file} cannot be read or written: {str(cause).splitlines()[0]}",
            hint="Check disk space and permissions, then repeat the command.",
        ) from error
    finally:
        logger.setLevel(level)


def study_file(location: Location) -> Path:
    """Return the file of studies: beside the tracking store if that is a file, else in the current folder."""
    return location.file.with_name(FILE) if location.file else Path(FILE).absolute()


class Study:
    """The study of one search.

    Args:
        spec: A spec with a search.
        storage: Optuna's storage.
        name: Name of the study.
        num_steps: Steps at which a trial can be pruned.
    """

    def __init__(self, spec: Spec, storage: "optuna.storages.RDBStorage", name: str, num_steps: int) -> None:
        import optuna

        self._search = search_of(spec)
        self.name = name
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if self._search.objective == "val_accuracy" else "minimize",
            pruner=pruner(self._search, num_steps),
            load_if_exists=True,
        )
        self._open: set[int] = set()

    @property
    def trials(self) -> list[Trial]:
        """All trials that were started, by number."""
        return [self._trial(one) for one in self._started()]

    @property
    def best(self) -> Trial | None:
        """The complete trial with the best objective, the first one of several; None without any."""
        complete = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        sign = 1 if self._search.objective == "val_loss" else -1
        return min(complete, key=lambda trial: sign * trial.objective, default=None)

    def next(self) -> "OpenTrial | None":
        """Return the next trial to train: one that an earlier call did not end, else a new one, if any."""
        import optuna

        started = self._started()
        for one in started:
            if not one.state.is_finished() and one.number not in self._open:
                self._study.sampler = sampler(self._search, one.number)
                # No public name gives the id by which a trial is opened again.
                return self._opened(optuna.trial.Trial(self._study, one._trial_id))
        number = len(started)
        if number >= self._search.num_trials:
            return None
        self._study.sampler = sampler(self._search, number)
        is_queued = len(self._study.get_trials(deepcopy=False)) > number  # by a call that was killed
        if self._search.sampler == "grid" and not is_queued:
            self._study.enqueue_trial(combination(self._search, number))
        return self._opened(self._study.ask())

    def _opened(self, kept: "optuna.trial.Trial") -> "OpenTrial":
        suggest(kept, self._search)
        self._open.add(kept.number)
        frozen = next(one for one in self._started() if one.number == kept.number)
        return OpenTrial(self._study, kept, self._trial(frozen), set(frozen.intermediate_values))

    def _started(self) -> "list[optuna.trial.FrozenTrial]":
        import optuna

        trials = self._study.get_trials(deepcopy=False)
        return [one for one in trials if one.state != optuna.trial.TrialState.WAITING]

    def _trial(self, one: "optuna.trial.FrozenTrial") -> Trial:
        steps = one.intermediate_values
        value = one.value if one.value is not None else steps[max(steps)] if steps else math.nan
        return Trial(
            number=one.number,
            state=_STATES[one.state.name],
            values={key: original(self._search, key, value) for key, value in one.params.items()},
            objective=value,
            reason=one.user_attrs.get(REASON, ""),
        )


_STATES = {
    "COMPLETE": TrialState.COMPLETE,
    "PRUNED": TrialState.PRUNED,
    "FAIL": TrialState.FAILED,
    "RUNNING": TrialState.RUNNING,
}


class OpenTrial:
    """A trial that is being trained.

    Args:
        study: Its Optuna study.
        kept: It, as Optuna has it.
        trial: It, as others know it.
        steps: Steps at which the objective is kept already.
    """

    def __init__(
        self, study: "optuna.Study", kept: "optuna.trial.Trial", trial: Trial, steps: set[int]
    ) -> None:
        self._study = study
        self._kept = kept
        self.trial = trial
        self._steps = steps

    def report(self, step: int, value: float) -> None:
        """Keep the objective as it is at a step; an earlier call may have done it."""
        if step not in self._steps:
            self._kept.report(value, step)
            self._steps.add(step)

    def should_prune(self) -> bool:
        """Return whether the trial is to be ended, by the values reported so far."""
        return bool(self._kept.should_prune())

    def complete(self, value: float) -> None:
        """End the trial with its objective."""
        self._study.tell(self._kept, value)

    def prune(self, reason: str) -> None:
        """End the trial early."""
        self._end("PRUNED", reason)

    def fail(self, reason: str) -> None:
        """End the trial without an objective."""
        self._end("FAIL", reason)

    def _end(self, state: str, reason: str) -> None:
        import optuna

        self._kept.set_user_attr(REASON, reason)
        self._study.tell(self._kept, state=optuna.trial.TrialState[state])
