"""Read runs back as `RunRecord`s."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from dropout_lab.errors import DropoutLabError, TrackingError, UsageError, did_you_mean
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.tracking import links, schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.histories import read_histories
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.run_record import is_ours, to_record
from dropout_lab.tracking.store import open_client
from dropout_lab.tracking.views import save_view

_PAGE = 500


@dataclass(frozen=True)
class ExperimentRecord:
    """One experiment of the tracking store."""

    experiment_id: str
    name: str


def list_experiments() -> list[ExperimentRecord]:
    """Return the experiments that are not deleted, the latest changed first.

    Raises:
        NoStoreError: If the store does not exist yet.
        TrackingError: If it cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        return all_experiments(client)


def read_runs(
    experiment: str | None = None,
    *,
    statuses: Collection[RunStatus] | None = None,
    histories: Sequence[str] = (),
) -> list[RunRecord]:
    """Return the runs of one experiment that dropout_lab trained, the oldest first.

    Args:
        experiment: Name of the experiment. [default: ``MLFLOW_EXPERIMENT_NAME``, or that of the latest run]
        statuses: Statuses of the runs to return; None returns all.
        histories: Names of per-epoch metrics to read as well, such as ``val_accuracy``.

    Raises:
        UsageError: If there is no such experiment.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        chosen = choose_experiment(client, location, experiment)
        only_finished = statuses is not None and set(statuses) == {RunStatus.FINISHED}
        runs: list[RunRecord] = []
        token = None
        while True:
            page = client.search_runs(
                [chosen.experiment_id],
                "attributes.status = 'FINISHED'" if only_finished else "",
                max_results=_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            # A search for our tag would silently miss a run whose tag was deleted in the MLflow UI.
            records = [to_record(run, chosen.name) for run in page if is_ours(run)]
            runs += [record for record in records if record is not None]
            token = page.token
            if not token:
                break
        if statuses is not None:
            runs = [run for run in runs if run.status in statuses]
        return with_histories(client, location, runs, histories)


def find_view(base: str) -> str:
    """Return the address of the results by condition of the experiment used last, in the MLflow UI at `base`.

    Without runs it is `base`. An experiment of an earlier version gets the view.

    Raises:
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=True)
    with failures_told(location):
        try:
            experiment_id = choose_experiment(client, location, None).experiment_id
        except DropoutLabError:
            return base
        try:
            save_view(client, client.get_experiment(experiment_id))
        except MlflowException:  # a server that lets this user only read
            return links.experiment_address(base, experiment_id)
    return links.view_address(base, experiment_id)


def all_experiments(client: MlflowClient) -> list[ExperimentRecord]:
    """Return the experiments that are not deleted, from an open store."""
    found: list[ExperimentRecord] = []
    token = None
    while True:
        page = client.search_experiments(max_results=_PAGE, page_token=token)
        found += [ExperimentRecord(str(one.experiment_id), one.name) for one in page]
        token = page.token
        if not token:
            return found


def choose_experiment(client: MlflowClient, location: Location, name: str | None) -> ExperimentRecord:
    """Return the experiment called `name`, or that of ``MLFLOW_EXPERIMENT_NAME`` or of the latest run."""
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if name:
        found = client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == "active":
            return ExperimentRecord(str(found.experiment_id), found.name)
        names = [one.name for one in all_experiments(client)]
        raise UsageError(
            f"Experiment {name!r} not found in {location.shown}{did_you_mean(name, names)}",
            hint=f"Available: {', '.join(names[:20])}.",
        )
    experiments = {one.experiment_id: one for one in all_experiments(client)}
    newest = ["attributes.start_time DESC"]
    for tag in (schema.CONDITION, schema.START_ID):
        latest = client.search_runs(
            list(experiments), f"tags.`{tag}` LIKE '%'", max_results=1, order_by=newest
        )
        if latest:
            return experiments[str(latest[0].info.experiment_id)]
    raise TrackingError(
        f"There are no runs yet in {location.shown}.", hint="Train some with `dropout-lab run SPEC`."
    )


def with_histories(
    client: MlflowClient, location: Location, runs: list[RunRecord], names: Sequence[str]
) -> list[RunRecord]:
    """Return `runs` with their values of the per-epoch metrics `names`."""
    if not names or not runs:
        return runs
    run_ids = [run.run_id for run in runs]
    epochs = [run.spec.get("training.epochs", "") for run in runs]
    most = max(int(one) if one.isdecimal() else 1000 for one in epochs)
    by_name = read_histories(client, location, run_ids, names, most)
    return [
        replace(
            run,
            history={
                name: tuple(value for _, value in sorted(found[run.run_id].items()))
                for name, found in by_name.items()
                if run.run_id in found
            },
        )
        for run in runs
    ]
