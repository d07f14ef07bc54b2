"""Read texts of runs, and log reports of comparisons."""

import tempfile
from pathlib import Path

from dropout_lab.errors import TrackingError
from dropout_lab.records import RunRecord
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.store import open_client
from dropout_lab.tracking.studies import find_study


def load_text(run: RunRecord, path: str) -> str:
    """Return a small text artifact of a run, such as ``spec/given.yaml``.

    Raises:
        TrackingError: If the run has no such artifact, or it cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location), tempfile.TemporaryDirectory() as folder:
        parent = path.rpartition("/")[0] or None
        if path not in [file.path for file in client.list_artifacts(run.run_id, parent)]:
            raise TrackingError(f"The run {run.run_name} ({run.run_id}) has no artifact {path}.")
        return Path(client.download_artifacts(run.run_id, path, folder)).read_text(encoding="utf-8")


def log_report(experiment_id: str, html: str, *, name: str, description: str) -> str:
    """Log the report of a comparison to MLflow, as ``report.html`` of the study of the experiment.

    An experiment without a study gets a run of its own for the report, which no comparison includes.

    Args:
        experiment_id: Experiment of the compared runs.
        html: Content of the report.
        name: Name of a run of its own.
        description: Its description in MLflow, Markdown.

    Returns:
        ID of the run.

    Raises:
        TrackingError: If the store refuses.
    """
    client, location = open_client(create=True)
    with failures_told(location):
        if study_id := find_study(client, experiment_id):
            client.log_text(study_id, html, schema.REPORT)
            return study_id
        run_tags = {
            schema.COMPARISON: "report",
            schema.DESCRIPTION: description,
            schema.SOURCE_NAME: "dropout-lab compare",
            schema.SOURCE_TYPE: "LOCAL",
            schema.USER: liveness.user(),
        }
        run_id = str(client.create_run(experiment_id, run_name=name, tags=run_tags).info.run_id)
        client.log_text(run_id, html, schema.REPORT)
        client.set_terminated(run_id, "FINISHED")
    return run_id
