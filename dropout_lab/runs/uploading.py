"""Log the result of a run to the tracking store, whole, however often an earlier call was cut off."""

from pathlib import Path

from dropout_lab.records import RunStatus
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.result import ARTIFACTS, MODEL, Result
from dropout_lab.tracking import Tracker
from dropout_lab.tracking.model_code import ModelCode
from dropout_lab.tracking.models import LoggableModel, SavedModel


def upload_result(
    run: PlannedRun, run_id: str, result: Result, folder: Path, tracker: Tracker, reporter: Reporter
) -> None:
    """Log a result and its model, and mark the run as FINISHED; nothing is logged twice.

    Args:
        run: The run.
        run_id: Its MLflow run.
        result: The result.
        folder: Folder of its files.
        tracker: Tracker of the experiment.
        reporter: Progress callbacks.

    Raises:
        TrackingError: If the store does not take it all.
    """
    tracker.log_epochs(run_id, result.epochs)
    tracker.log_result(
        run_id,
        result.metrics,
        step=0,  # MLflow then draws bars
        timestamp_ms=result.epochs[-1].end_time_ms,
        folder=folder / ARTIFACTS,
        tags=result.tags,
    )
    reporter.entered(run, "logging model")
    code = _model_code(run)
    model = _open_model(run, result, folder / MODEL)
    tracker.log_model(run_id, model, result.input_example, result.metrics, code, result.model_texts)
    tracker.end_run(run_id, RunStatus.FINISHED)


def _open_model(run: PlannedRun, result: Result, file: Path) -> LoggableModel:
    if result.model_shapes:
        return SavedModel(file, *result.model_shapes)
    from dropout_lab.models.architecture import custom_objects, network_function
    from dropout_lab.training.trainer import load_model

    model: LoggableModel = load_model(file, custom_objects(network_function(run.settings.model)))
    return model


def _model_code(run: PlannedRun) -> ModelCode | None:
    """Return the user's code that the model of a run needs; for other models, Keras does not start."""
    if run.settings.model.is_built_in:
        return None
    from dropout_lab.models.architecture import network_function
    from dropout_lab.runs.networks import model_code

    return model_code(network_function(run.settings.model))
