"""One run's network with everything that trains and measures it; other packages need no Keras."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dropout_lab.data.dataset import Dataset, Inputs
from dropout_lab.files import move_durably
from dropout_lab.models.inspection import summary_text, weights_fingerprint
from dropout_lab.models.network import build_network
from dropout_lab.models.site_kinds import kind_variables
from dropout_lab.models.sites import set_rates
from dropout_lab.records import DeviceInfo, DropoutCheck, Evaluation
from dropout_lab.spec import Settings
from dropout_lab.spec.kinds import rate_of, schedule_of
from dropout_lab.spec.rates import site_settings
from dropout_lab.training.checkpoints import (
    DamagedCheckpointError,
    checkpoint_files,
    load_checkpoint,
    save_checkpoint,
    state_variables,
)
from dropout_lab.training.devices import computing_on, configure_keras, make_deterministic
from dropout_lab.training.dropout_check import check_dropout
from dropout_lab.training.early_stopping import BestWeights, best_epoch
from dropout_lab.training.engines import build_engine
from dropout_lab.training.engines.observation import NUM_STEPS
from dropout_lab.training.engines.replicas import Replicas
from dropout_lab.training.graphs import likeness_of
from dropout_lab.training.inputs import scale_inputs
from dropout_lab.training.loop import TrainingLoop, batch_order_fingerprint
from dropout_lab.training.optimizers import build_optimizer
from dropout_lab.training.prediction import Predictor, evaluate
from dropout_lab.training.progress import Progress
from dropout_lab.training.rates import SiteRates, steps_per_epoch

VALUES = {"epochs", "batch_size", "learning_rate", "learning_rate_schedule", "early_stopping"}
"""Settings of a training that no graph depends on."""

NUM_INFERRED = 32
"""Examples by which a network shows before training that it can be used."""


class Trainer:
    """A run's network, built and ready to train, check, save and evaluate.

    Args:
        settings: Settings of the condition.
        data: Examples that they choose.
        run_seed: Seed of the run.
        device: Device that they resolve to.
        engine: Name of the engine that they resolve to.

    Attributes:
        initial_weights: Fingerprint of the weights before the first step.
        batch_order: Fingerprint of the order of the training examples.
        unmeasured_sites: Sites with dropout that `check_dropout` did not see, such as those of an LSTM.
    """

    def __init__(
        self, settings: Settings, data: Dataset, run_seed: int, device: DeviceInfo, engine: str
    ) -> None:
        training = settings.training
        configure_keras(training.precision)
        make_deterministic(device)
        self._data = data
        self._device = device.devices[0]
        self._replicas = Replicas(device.devices) if len(device.devices) > 1 else None
        if self._replicas is not None:
            self._replicas.require_parts(len(data.train_labels), training.batch_size)
        self.device_name = device.device_name
        with self._on_device():
            self.network = build_network(
                settings.model,
                data.input_shape,
                data.num_classes,
                run_seed,
                variable_sites=settings.model.scheduled_sites if engine == "stock" else (),
                num_examples=len(data.train_labels),
            )
            self.model = self.network.model
            dropout = site_settings(settings.model.dropout, self.network.rates)
            self._rates = SiteRates(
                full={site.path: float(rate_of(dropout[site.name])) for site in self.network.sites},
                schedules={site.path: schedule_of(dropout[site.name]) for site in self.network.sites},
                steps_per_epoch=steps_per_epoch(len(data.train_labels), training.batch_size),
                num_epochs=training.epochs,
            )
            self._optimizer = build_optimizer(training, self.model)
            # The engine has the rates of the layers, so that the check sees whether these are the spec's.
            of_layers = replace(self._rates, full={site.path: site.rate for site in self.network.sites})
            likeness = self._likeness(settings, data)
            self._engine = build_engine(
                engine,
                settings,
                self.network,
                self._optimizer,
                data,
                run_seed,
                of_layers,
                replicas=self._replicas,
                likeness=likeness,
            )
            self._predictor = Predictor(self.network, data, likeness)
            best = BestWeights(self.model) if training.early_stopping is not None else None
        self._best_variables = best.variables if best is not None else []
        self._loop = TrainingLoop(
            training, data, self._engine, self._predictor, run_seed, self._changing_rates, best
        )
        self.num_train = len(data.train_labels)
        self.test_labels = data.test_labels
        self.engine_name = engine
        self.unmeasured_sites: tuple[str, ...] = ()
        self.initial_weights = self.weights_fingerprint()
        self.batch_order = batch_order_fingerprint(run_seed, len(data.train_labels), training.batch_size)

    def _likeness(self, settings: Settings, data: Dataset) -> Hashable | None:
        """Return what the graphs of this run depend on; see `Graphs`."""
        of_network = likeness_of(self.network)
        if of_network is None or self._replicas is not None:
            return None
        training = settings.training.model_dump_json(exclude=VALUES)
        scaling = (
            data.scaling.to_float,
            *(np.asarray(part).tobytes() for part in (data.scaling.factor, data.scaling.shift)),
        )
        return of_network, training, self._rates.changing, scaling, self._device

    def check_dropout(self) -> list[DropoutCheck]:
        """Measure, before training, that dropout is on in training steps and off at inference.

        Returns:
            The dropped fraction of each Dropout layer, which is named as its site; see `dropout_check`.

        Raises:
            TrainingError: If a fraction does not agree with the spec's rate, a mask does not change, or
                inference is random or not finite.
        """
        with self._on_device():
            self._predictor.check_inference(self._data.train_inputs[:NUM_INFERRED])
            checks = self._check_rates()
        measured = {check.layer for check in checks}
        self.unmeasured_sites = tuple(
            site.name for site in self.network.sites if site.rate > 0 and site.path not in measured
        )
        names = {site.path: site.name for site in self.network.sites}
        return [replace(check, layer=names.get(check.layer, check.layer)) for check in checks]

    def _check_rates(self) -> list[DropoutCheck]:
        """Return the dropped fraction of each layer where its rate is highest, in the course of the training.

        The first step is checked, too, so that dropout which starts late is seen to be off before.
        """
        telling = {path: self._rates.telling_step(path) for path in self._rates.full}
        observed = {step: self._engine.observe_dropout(step) for step in sorted({0, *telling.values()})}
        num_observed = sum(map(len, observed.values()))
        checks = []
        for step, observations in observed.items():
            rates = self._rates.at(step, NUM_STEPS)
            checked = check_dropout(observations, rates, num_observed=num_observed)
            checks += [check for check in checked if telling[check.layer] == step]
        return checks

    def train(self, progress: Progress, on_progress: Callable[[Progress], None]) -> Progress:
        """Train from `progress` to the end; see `TrainingLoop`.

        The layers then have the rates of the last step of the epoch that the weights are from.
        """
        with self._on_device():
            progress = self._loop.train(progress, on_progress)
        stopping = self._loop.spec.early_stopping
        num_epochs = best_epoch(stopping, progress.epochs) if stopping else len(progress.epochs)
        last_step = num_epochs * self._rates.steps_per_epoch - 1
        set_rates(self.network.sites, self.network.rates | self._changing_rates(last_step))
        return progress

    def _changing_rates(self, step: int) -> dict[str, float]:
        """Return the rate in a training step of each site whose rate changes; a learned one as it is now."""
        rates, changing = self._rates.at(step), self._rates.changing
        scheduled = {
            site.name: float(rates[site.path][0]) for site in self.network.sites if site.path in changing
        }
        return scheduled | self.network.learned_rates

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        hint = (
            "Free memory and run `dropout-lab resume`, or use a smaller training.batch_size"
            " (starts a new run)."
        )
        copies = nullcontext() if self._replicas is None else self._replicas.scope()
        with computing_on(self._device, self.device_name, hint), copies:
            yield

    def save(self, folder: Path, progress: Progress) -> None:
        """Write a checkpoint into `folder`. Raises OSError if it cannot be written."""
        save_checkpoint(folder, progress, self._state())

    def _state(self) -> list[keras.Variable]:
        """Return all that training changes."""
        own = state_variables(self.model, self._optimizer)
        return [*own, *self._engine.variables, *self._best_variables]

    def restore(self, folder: Path, on_damage: Callable[[str], None]) -> Progress:
        """Continue from the newest intact checkpoint in `folder`, or from the start if there is none.

        Args:
            folder: Folder of the checkpoints.
            on_damage: Called with a message for each checkpoint that cannot be used.
        """
        checkpoints = checkpoint_files(folder)
        while checkpoints:
            newest = checkpoints.pop()
            try:
                return load_checkpoint(newest, self._state())
            except DamagedCheckpointError as error:
                instead = f"using {checkpoints[-1].name}" if checkpoints else "starting from the first epoch"
                on_damage(f"Checkpoint {error}; {instead}.")
        return Progress()

    def evaluate(self) -> tuple[Evaluation, Evaluation]:
        """Evaluate on the whole training set and on the whole test set, with dropout off."""
        data = self._data
        with self._on_device():
            train = evaluate(self._predictor.probs(data.train_inputs), data.train_labels)
            test = evaluate(self._predictor.probs(data.test_inputs), data.test_labels)
        return train, test

    def input_example(self) -> Inputs:
        """Return two test examples in the form that the model takes, such as (2, 28, 28, 1) in [0, 1]."""
        example: Inputs = np.asarray(scale_inputs(self._data.test_inputs[:2], self._data.scaling))
        return example

    def summary(self) -> str:
        """Return the Keras table of the layers."""
        return summary_text(self.network.export())

    def weights_fingerprint(self) -> str:
        """Return the fingerprint of the current weights, which are those of the saved model."""
        return weights_fingerprint(self.model, without=kind_variables(self.model))

    def save_model(self, path: Path) -> None:
        """Write the model with stock layers to the ``.keras`` file `path`, whole or not at all in a crash.

        Raises:
            OSError: If it cannot be written.
        """
        # Keras accepts no other suffix.
        aside = path.with_name(f"{path.stem}.part.keras")
        try:
            self.network.export().save(aside)
            move_durably(aside, path)
        finally:
            aside.unlink(missing_ok=True)


def load_model(path: Path, custom_objects: Mapping[str, Any]) -> Any:
    """Load the model in a ``.keras`` file without running code that it may contain.

    Args:
        path: The file.
        custom_objects: Classes and functions of the user's in it, by name.
    """
    return keras.saving.load_model(path, custom_objects=dict(custom_objects), compile=False, safe_mode=True)
