"""Log a trained model as MLflow 3 stores models: an entity of its own, linked to its run."""

import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from dropout_lab.tracking import schema
from dropout_lab.tracking.model_code import ModelCode, add_code

Shape = tuple[int | None, ...]
"""Shape of a batch; None where any size fits."""


class LoggableModel(Protocol):
    """What is needed of a model to log it; a built `keras.Model` with one input and one output has it."""

    @property
    def input_shape(self) -> Shape:
        """Shape of its inputs, batch first."""
        ...

    @property
    def output_shape(self) -> Shape:
        """Shape of its outputs, batch first."""
        ...

    def save(self, path: str) -> None:
        """Write it to a ``.keras`` file."""
        ...


@dataclass(frozen=True)
class SavedModel:
    """A model in a ``.keras`` file, which is logged as it is.

    Attributes:
        file: The file.
        input_shape, output_shape: See `LoggableModel`.
    """

    file: Path
    input_shape: Shape
    output_shape: Shape

    def save(self, path: str) -> None:
        """Copy the file to `path`."""
        shutil.copyfile(self.file, path)


def log_model(
    client: MlflowClient,
    run_id: str,
    model: LoggableModel,
    input_example: npt.NDArray[Any],
    metrics: Collection[str],
    code: ModelCode | None = None,
    texts: Mapping[str, str] | None = None,
) -> str:
    """Log a model, and complete what an interrupted call started.

    `mlflow.keras.log_model` would start a second model in a second call, and fails with an input example
    (mlflow#16183), so its steps are done one by one.

    Args:
        client: Open client.
        run_id: Run that trained the model.
        model: The model.
        input_example: A few inputs of the type that the model takes, batch first.
        metrics: Names of the metrics of the run that belong to the model, logged before.
        code: The user's code that the model needs; logged with it.
        texts: Further files in the folder of the model, by name.

    Returns:
        ID of the logged model.
    """
    run = client.get_run(run_id)
    name = schema.model_name(run.data.params.get(schema.CONDITION, schema.MODEL_NAME))
    logged = _find(client, run, name) or client.create_logged_model(
        run.info.experiment_id, name=name, source_run_id=run_id, params=dict(run.data.params)
    )
    if logged.status != LoggedModelStatus.READY:
        _upload(client, run_id, logged, model, input_example, code, texts or {})
        client.finalize_logged_model(logged.model_id, "READY")
    linked = {metric.key for metric in logged.metrics or []}
    if not linked.issuperset(metrics) or not run.outputs.model_outputs:
        final = _last_values(run, metrics, logged.model_id)
        client.log_batch(run_id, metrics=[metric for metric in final if metric.key not in linked])
        if not run.outputs.model_outputs:
            step = max((metric.step for metric in final), default=0)
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=step)])
    return str(logged.model_id)


@cache
def requirements() -> tuple[str, ...]:
    """Return the pip requirements of a logged model: the packages that load it, in the installed versions."""
    distributions = packages_distributions()  # reads the metadata of all that is installed
    names = sorted({distributions[package][0] for package in ("keras", "tensorflow", "numpy")})
    return tuple(f"{name}=={version(name)}" for name in names)


def _find(client: MlflowClient, run: Run, name: str) -> LoggedModel | None:
    found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    return next((model for model in found if model.name in (name, schema.MODEL_NAME)), None)


def _upload(
    client: MlflowClient,
    run_id: str,
    logged: LoggedModel,
    model: LoggableModel,
    input_example: npt.NDArray[Any],
    code: ModelCode | None,
    texts: Mapping[str, str],
) -> None:
    import mlflow.keras  # imports Keras, as the caller did

    described = Model(
        artifact_path=logged.artifact_location,
        run_id=run_id,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
    )
    with tempfile.TemporaryDirectory() as folder:
        mlflow.keras.save_model(
            model,
            folder,
            mlflow_model=described,
            signature=ModelSignature(
                _schema(model.input_shape, input_example.dtype), _schema(model.output_shape, np.float32)
            ),
            input_example=input_example,
            pip_requirements=list(requirements()),
        )
        if code is not None:
            add_code(described, Path(folder), code)
        for name, text in texts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        client.log_model_artifacts(logged.model_id, folder)


def _schema(shape: Shape, kind: npt.DTypeLike) -> Schema:
    return Schema([TensorSpec(np.dtype(kind), tuple(-1 if size is None else size for size in shape))])


def _last_values(run: Run, names: Collection[str], model_id: str) -> list[Metric]:
    """Return the last value of each metric for the model, with the time of its logging.

    With another time it would be recorded in the run twice.
    """
    last = {metric.key: metric for metric in run.data.to_proto().metrics}
    found = (last[name] for name in names)
    return [Metric(one.key, one.value, one.timestamp, one.step, model_id=model_id) for one in found]
