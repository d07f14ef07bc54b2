"""Measure a run after its training, as files for upload now or later."""

import time
from collections.abc import Sequence

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.input_form import InputForm
from dropout_lab.evaluation.metrics import format_count
from dropout_lab.records import DeviceInfo, DropoutCheck, RunFacts
from dropout_lab.runs.evaluation_parts import Measurements, evaluate_parts
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.result import ARTIFACTS, Result, final_metrics
from dropout_lab.tracking import schema
from dropout_lab.training.early_stopping import best_epoch
from dropout_lab.training.progress import Progress
from dropout_lab.training.trained import TrainedNetwork
from dropout_lab.training.trainer import Trainer


def measure_run(
    run: PlannedRun,
    trainer: Trainer,
    data: Dataset,
    device: DeviceInfo,
    progress: Progress,
    checks: Sequence[DropoutCheck],
    reporter: Reporter,
) -> dict[str, bytes]:
    """Return the content of all files of a result but the model, by path.

    Args:
        run: The run, which may ask for an evaluation of its confidence.
        trainer: Its trained network.
        data: Its examples.
        device: Its device.
        progress: All its epochs.
        checks: Its dropped fractions.
        reporter: Progress callbacks.

    Raises:
        TrainingError: If a result is not finite.
    """
    began = time.perf_counter()
    train, test = trainer.evaluate()
    seconds = time.perf_counter() - began
    extra = Measurements()
    if run.evaluation is not None:
        trained = TrainedNetwork(trainer.network, data, run.seed, device.devices[0])
        extra = evaluate_parts(trained, run.evaluation)
        for note in extra.notes:
            reporter.noted(f"{run.name}: {note}")
    result = Result(
        metrics={
            **final_metrics(train, test, checks),
            **extra.metrics,
            **_selection(run, progress, reporter),
            "train_seconds": sum(epoch.epoch_seconds for epoch in progress.epochs),
            "evaluation_seconds": seconds,
        },
        tags=schema.fact_tags(RunFacts(final_weights=trainer.weights_fingerprint())) | dict(extra.tags),
        epochs=progress.epochs,
        input_example=trainer.input_example(),
        class_names=data.class_names,
        input_form=InputForm.of(data).to_json(),
        model_shapes=(trainer.model.input_shape, trainer.model.output_shape),
    )
    files = result.files(train, test, trainer.test_labels)
    return files | {f"{ARTIFACTS}/{path}": content for path, content in extra.files.items()}


def _selection(run: PlannedRun, progress: Progress, reporter: Reporter) -> dict[str, float]:
    """Return and report the epoch whose weights early stopping restored, if the run has it."""
    stopping = run.settings.training.early_stopping
    if stopping is None:
        return {}
    restored = best_epoch(stopping, progress.epochs)
    reporter.noted(
        f"{run.name}: weights of epoch {restored} restored (best {stopping.metric}"
        f" of {format_count(len(progress.epochs), 'epoch')})"
    )
    return {"best_epoch": float(restored)}
