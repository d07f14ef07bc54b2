"""Classify images with a trained model; `dropout-lab predict` prints what this returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dropout_lab.api.training import ONE_CALL_AT_A_TIME, starting
from dropout_lab.errors import TrackingError, UsageError, did_you_mean
from dropout_lab.evaluation.uncertainty import Floats, MonteCarlo
from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame

    from dropout_lab.data.examples import Examples
    from dropout_lab.data.input_form import InputForm, ScaleChoice
    from dropout_lab.tracking.model_files import ModelFiles

Images = str | Path | Sequence[str | Path] | np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predicted classes; notebooks show them as a table.

    Attributes:
        model: Name of the model.
        images: Name of each image.
        class_names: Name of each class, by class number.
        probs: Class probabilities, (num_images, num_classes): with dropout off, or averaged over samples
            with dropout on.
        monte_carlo: The samples with dropout on, summarized; None without samples.
        notes: What was converted or assumed, in words.
    """

    model: str
    images: tuple[str, ...]
    class_names: tuple[str, ...]
    probs: Floats
    monte_carlo: MonteCarlo | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The predicted class number of each image: the one with the highest probability."""
        return tuple(int(one) for one in self.probs.argmax(axis=1))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One mapping per image: its name, class, class number and probability.

        With samples also its predictive entropy and mutual information, in nats.
        """
        columns: dict[str, Sequence[Any]] = {
            "image": self.images,
            "class": [self.class_names[label] for label in self.labels],
            "label": self.labels,
            "probability": self.probs.max(axis=1).tolist(),
        }
        if self.monte_carlo is not None:
            columns["entropy"] = self.monte_carlo.entropy.tolist()
            columns["mutual_information"] = self.monte_carlo.mutual_information.tolist()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_frame(self) -> "DataFrame":
        """Return one row per image."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def __repr__(self) -> str:
        return "\n".join(
            [self.model, *(f"{one['image']}: {one['class']} ({one['probability']:.3f})" for one in self.rows)]
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def predict(
    model: str | Path,
    images: Images,
    *,
    mc_samples: int = 0,
    scale: "ScaleChoice" = "auto",
    seed: int = 0,
) -> Predictions:
    """Classify images with a trained model, as ``dropout-lab predict`` does.

    Stored values are scaled as in training. Images get the size and the color mode of the model; the notes
    of the result say so.

    Args:
        model: Run name, run ID or its beginning, ``EXPERIMENT/RUN``, registered model (``NAME@ALIAS``), or
            path of a ``.keras`` file or of a model folder.
        images: Image files, ``.npy`` files or folders with them, or an array: (n, *shape), or one example.
        mc_samples: Samples with dropout on (Monte Carlo dropout), whose average is the prediction; 0 predicts
            with dropout off.
        scale: ``auto`` scales as in training; ``unit`` divides pixels of 0 to 255 by 255; with ``none``
            values are those that the network sees.
        seed: Seed of the samples.

    Raises:
        UsageError: If there is no such model, or an argument is invalid.
        DataError: If an image is missing, damaged, or no input of the model.
        TrackingError: If the store or the model cannot be read.
    """
    if scale not in (choices := ("auto", "unit", "none")):
        raise UsageError(f"scale: {scale!r}{did_you_mean(scale, choices)} (allowed: {', '.join(choices)})")
    if mc_samples < 0:
        raise UsageError(f"mc_samples: {mc_samples} (allowed: 0 or more)")
    with ONE_CALL_AT_A_TIME, quiet_libraries():
        with starting("TensorFlow"):
            from dropout_lab.training.own_state import own_state
        from dropout_lab.tracking.model_files import open_model

        with open_model(str(model)) as files, own_state():
            return _predict(files, images, scale, mc_samples, seed)


def _predict(
    files: "ModelFiles", images: Images, scale: "ScaleChoice", mc_samples: int, seed: int
) -> Predictions:
    from dropout_lab.training.devices import resolve_device
    from dropout_lab.training.saved_model import as_network
    from dropout_lab.training.trained import TrainedNetwork
    from dropout_lab.training.trainer import load_model

    keras_model = files.load(lambda file: load_model(file, {}))
    form, notes = _input_form(files, keras_model)
    form = form.scaled(scale)
    examples = _examples(images, form)
    network = as_network(keras_model, form, files.name)
    trained = TrainedNetwork(network, form.without_examples(), seed, resolve_device("auto").device)
    monte_carlo = trained.monte_carlo(examples.inputs, mc_samples) if mc_samples else None
    if mc_samples and not any(site.rate > 0 for site in network.sites):
        notes = [*notes, f"{files.name} has no dropout: all samples are equal."]
    return Predictions(
        model=files.name,
        images=examples.names,
        class_names=form.class_names,
        probs=trained.probs(examples.inputs) if monte_carlo is None else monte_carlo.probs,
        monte_carlo=monte_carlo,
        notes=(*notes, *examples.notes),
    )


def _examples(images: Images, form: "InputForm") -> "Examples":
    from dropout_lab.data.examples import Examples, as_examples, read_examples

    if isinstance(images, np.ndarray):
        inputs = as_examples(images, form)
        return Examples(names=tuple(f"images[{index}]" for index in range(len(inputs))), inputs=inputs)
    paths = [images] if isinstance(images, str | Path) else list(images)
    if not paths:
        raise UsageError("images: none (allowed: files, folders, or an array)")
    return read_examples([Path(one) for one in paths], form)


def _input_form(files: "ModelFiles", keras_model: Any) -> "tuple[InputForm, list[str]]":
    """Return the form of the inputs that a model was trained on, with what had to be assumed."""
    from dropout_lab.data.input_form import InputForm
    from dropout_lab.data.scaling import UNIT_PIXELS, Scaling
    from dropout_lab.training.saved_model import input_shape

    logged = files.input_form
    if logged is not None:
        try:
            return InputForm.from_json(logged), []
        except (KeyError, TypeError, ValueError) as error:
            raise TrackingError(f"{files.name}: the form of its inputs is damaged ({error})") from error
    if files.run is not None:
        return _form_of_data(files.run), []
    shape = input_shape(keras_model)
    if None in shape:
        raise UsageError(f"{files.name}: takes inputs of any size, and the size in training is unknown")
    is_image = len(shape) == 3 and shape[-1] in (1, 3, 4)
    form = InputForm(
        shape=tuple(int(size or 0) for size in shape),
        dtype="uint8" if is_image else "float32",
        scaling=UNIT_PIXELS if is_image else Scaling(),
        class_names=tuple(map(str, range(keras_model.outputs[0].shape[-1]))),
    )
    how = "pixels of 0 to 255 are divided by 255" if is_image else "values are not scaled"
    return form, [f"{files.name} does not record its scaling and class names: {how}."]


def _form_of_data(run: RunRecord) -> "InputForm":
    """Return the form of the data of a run that logged none, from its data, which must still be the same."""
    from dropout_lab.data.input_form import InputForm
    from dropout_lab.data.selection import load_data
    from dropout_lab.runs.logged_settings import read_settings

    data = load_data(read_settings(run).data, run.seed)
    if data.fingerprint.digest != run.data_digest:
        raise UsageError(
            f"The run {run.run_name} did not log the scaling of its inputs, and its data have changed.",
            hint="Choose `--scale unit` or `--scale none`, and give the .keras file of the model.",
        )
    return InputForm.of(data)
