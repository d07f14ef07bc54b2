"""Find one run by its name or id."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow import MlflowClient

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.registry import MetricFamily
from dropout_lab.records import RunRecord
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.listing import find_ready_model
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.reader import all_experiments, with_histories
from dropout_lab.tracking.run_record import is_ours, to_record
from dropout_lab.tracking.store import open_client

_MOST_FOUND = 50
_MOST_SHOWN = 5


def find_run(
    reference: str, *, histories: Sequence[str] = (), families: Sequence[MetricFamily] = ()
) -> RunRecord:
    """Return the run that `reference` names: ``[EXPERIMENT/]RUN``, RUN being a name, an id or its beginning.

    A name that several experiments have means the run in the experiment that was used last.

    Args:
        reference: Name or id.
        histories: Names of per-epoch metrics to read as well, such as ``val_accuracy``.
        families: Families of per-epoch metrics to read as well.

    Raises:
        UsageError: If it names no run, or more than one.
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        experiments = {one.experiment_id: one.name for one in all_experiments(client)}
        experiment, slash, name = reference.rpartition("/")
        if slash and experiment in experiments.values():
            experiments = {number: one for number, one in experiments.items() if one == experiment}
        else:
            name = reference
        for found in _matches(client, list(experiments), name):
            records = [to_record(run, experiments[str(run.info.experiment_id)]) for run in found]
            usable = [record for record in records if record is not None]
            if usable:
                one = _the_one(reference, usable)
                members = [name for name in one.metrics if any(family.member(name) for family in families)]
                return with_histories(client, location, [one], [*histories, *members])[0]
            if found:
                raise UsageError(
                    f"{reference!r} matches only runs without a known condition and seed.",
                    hint="Set their tags dropout_lab.condition and dropout_lab.seed in the MLflow UI.",
                )
        raise _not_found(client, location, experiments, reference)


def require_model(client: MlflowClient, run: RunRecord) -> str:
    """Return the id of the logged model of a run.

    Raises:
        UsageError: If it has none.
    """
    if model := find_ready_model(client, run):
        return str(model.model_id)
    raise UsageError(
        f"The run {run.run_name} ({run.run_id[:8]}) has no model: its status is {run.status.value}.",
        hint="`dropout-lab runs` lists runs and their status.",
    )


def _matches(client: MlflowClient, experiment_ids: list[str], name: str) -> Sequence[list[Any]]:
    """Return the runs whose id begins with `name`, then those of that name; the newest first."""
    queries = []
    if re.fullmatch(r"[0-9a-f]{4,32}", name):
        queries.append(f"attributes.run_id LIKE '{name}%'")
    if "'" not in name or '"' not in name:
        quote = '"' if "'" in name else "'"
        queries.append(f"attributes.run_name = {quote}{name}{quote}")
    pages = (
        client.search_runs(
            experiment_ids, query, max_results=_MOST_FOUND, order_by=["attributes.start_time DESC"]
        )
        for query in queries
    )
    return [[run for run in page if is_ours(run)] for page in pages]


def _the_one(reference: str, found: Sequence[RunRecord]) -> RunRecord:
    """Return the only run, or the only one of the experiment with the newest."""
    newest = [run for run in found if run.experiment_id == found[0].experiment_id]
    is_name = all(run.run_name == found[0].run_name for run in found)
    if len(found) == 1 or (len(newest) == 1 and is_name):
        return newest[0]
    shown = "; ".join(
        f"{run.run_id} ({run.experiment_name}/{run.run_name}, {run.start_time.astimezone():%Y-%m-%d %X})"
        for run in found[:_MOST_SHOWN]
    )
    count = f"{len(found)}" if len(found) < _MOST_FOUND else f"at least {_MOST_FOUND}"
    raise UsageError(
        f"{reference!r} matches {count} runs: {shown}{'; ...' if len(found) > _MOST_SHOWN else ''}",
        hint="Use a longer ID prefix, or EXPERIMENT/RUN.",
    )


def _not_found(
    client: MlflowClient, location: Location, experiments: Mapping[str, str], reference: str
) -> UsageError:
    recent = client.search_runs(list(experiments), max_results=_MOST_FOUND) if experiments else []
    names = [run.info.run_name for run in recent if is_ours(run)]
    if "/" in reference:
        names = [f"{experiment}/{name}" for experiment in experiments.values() for name in names]
    return UsageError(
        f"No run has the id or the name {reference!r} in {location.shown}{did_you_mean(reference, names)}",
        hint="`dropout-lab runs` lists them.",
    )
