"""Reads runs back as `RunRecord`s."""

import os
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt
from mlflow import MlflowClient

from dropout_lab.errors import TrackingError, UsageError, did_you_mean
from dropout_lab.records import FloatArray, RunRecord, RunStatus
from dropout_lab.tracking import tags
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.histories import read_histories
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.run_record import to_record
from dropout_lab.tracking.store import open_client

_PAGE = 500
_OURS = f"tags.`{tags.CONDITION}` LIKE '%'"
TEST_PROBS = "predictions/test_probs.npz"


@dataclass(frozen=True)
class ExperimentRecord:
    """One experiment of the tracking store."""

    experiment_id: str
    name: str


def list_experiments() -> list[ExperimentRecord]:
    """Return the experiments that are not deleted, the one changed last first.

    Raises:
        TrackingError: The store cannot be read, or there is none yet.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        return _experiments(client)


def read_runs(
    experiment: str | None = None,
    *,
    statuses: Collection[RunStatus] | None = None,
    histories: Sequence[str] = (),
) -> list[RunRecord]:
    """Return the runs of one experiment that dropout_lab trained, the oldest first.

    Args:
        experiment: Its name; None takes ``MLFLOW_EXPERIMENT_NAME``, else the experiment of the latest run.
        statuses: Only runs in one of these states; None takes all.
        histories: Names of per-epoch metrics whose values are read too, such as ``val_accuracy``.

    Raises:
        UsageError: There is no such experiment.
        TrackingError: The store cannot be read, or there are no runs yet.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        chosen = _choose_experiment(client, location, experiment)
        filters = [_OURS]
        if statuses is not None and set(statuses) == {RunStatus.FINISHED}:
            filters.append("attributes.status = 'FINISHED'")
        runs: list[RunRecord] = []
        token = None
        while True:
            page = client.search_runs(
                [chosen.experiment_id],
                " AND ".join(filters),
                max_results=_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            runs += [to_record(run, chosen.name) for run in page]
            token = page.token
            if not token:
                break
        if statuses is not None:
            runs = [run for run in runs if run.status in statuses]
        return _with_histories(client, location, runs, histories)


def find_run(reference: str, *, histories: Sequence[str] = ()) -> RunRecord:
    """Return the run that `reference` names: a run id, an unambiguous beginning of one, or a run name.

    Raises:
        UsageError: No run, or more than one, is meant.
        TrackingError: The store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        experiments = {one.experiment_id: one.name for one in _experiments(client)}
        queries = []
        if re.fullmatch(r"[0-9a-f]{4,32}", reference):
            queries.append(f"attributes.run_id LIKE '{reference}%'")
        if "'" not in reference or '"' not in reference:
            quote = '"' if "'" in reference else "'"
            queries.append(f"attributes.run_name = {quote}{reference}{quote}")
        for query in queries:
            found = client.search_runs(list(experiments), f"{query} AND {_OURS}", max_results=6)
            if len(found) > 1:
                shown = ", ".join(f"{run.info.run_id} ({run.info.run_name})" for run in found[:5])
                raise UsageError(
                    f"{reference!r} fits more than one run: {shown}{', ...' if len(found) > 5 else ''}",
                    hint="Give more of the run id.",
                )
            if found:
                run = to_record(found[0], experiments[found[0].info.experiment_id])
                return _with_histories(client, location, [run], histories)[0]
        recent = client.search_runs(list(experiments), _OURS, max_results=50)
        nearest = did_you_mean(reference, [run.info.run_name for run in recent])
    raise UsageError(
        f"No run has the id or the name {reference!r} in {location.shown}{nearest}",
        hint="`dropout-lab runs` lists them.",
    )


def load_test_probs(run: RunRecord) -> tuple[FloatArray, npt.NDArray[np.uint8]]:
    """Return the class probabilities that a run's model gave to the test images, and the true labels.

    Returns:
        probs: (num_test, num_classes) float32, rounded to float16 when they were logged.
        labels: (num_test,) uint8.

    Raises:
        TrackingError: The run has none, or they cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location), tempfile.TemporaryDirectory() as folder:
        if TEST_PROBS not in [file.path for file in client.list_artifacts(run.run_id, "predictions")]:
            raise TrackingError(f"The run {run.run_name} ({run.run_id}) has no artifact {TEST_PROBS}.")
        file = client.download_artifacts(run.run_id, TEST_PROBS, folder)
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return arrays["probs"].astype(np.float32), arrays["labels"].astype(np.uint8)
        except (ValueError, KeyError, EOFError) as error:
            raise TrackingError(f"{TEST_PROBS} of the run {run.run_name} is damaged: {error}") from error


def model_location(run: RunRecord) -> str | None:
    """Return where the files of a run's model are: a local folder, else an address; None if it has no model.

    Raises:
        TrackingError: The store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        found = client.search_logged_models(
            [run.experiment_id], f"source_run_id = '{run.run_id}'", max_results=10
        )
    complete = [model for model in found if model.status == "READY"]
    if not complete:
        return None
    address = urlsplit(str(complete[0].artifact_location))
    return unquote(address.path) if address.scheme == "file" else address.geturl()


def _experiments(client: MlflowClient) -> list[ExperimentRecord]:
    found: list[ExperimentRecord] = []
    token = None
    while True:
        page = client.search_experiments(max_results=_PAGE, page_token=token)
        found += [ExperimentRecord(str(one.experiment_id), one.name) for one in page]
        token = page.token
        if not token:
            return found


def _choose_experiment(client: MlflowClient, location: Location, name: str | None) -> ExperimentRecord:
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if name:
        found = client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == "active":
            return ExperimentRecord(str(found.experiment_id), found.name)
        names = [one.name for one in _experiments(client)]
        raise UsageError(
            f"No experiment is named {name!r} in {location.shown}{did_you_mean(name, names)}",
            hint="It has: " + ", ".join(names[:20]),
        )
    experiments = {one.experiment_id: one for one in _experiments(client)}
    latest = client.search_runs(
        list(experiments), _OURS, max_results=1, order_by=["attributes.start_time DESC"]
    )
    if not latest:
        raise TrackingError(
            f"There are no runs yet in {location.shown}.", hint="Train some with `dropout-lab run SPEC`."
        )
    return experiments[str(latest[0].info.experiment_id)]


def _with_histories(
    client: MlflowClient, location: Location, runs: list[RunRecord], names: Sequence[str]
) -> list[RunRecord]:
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
