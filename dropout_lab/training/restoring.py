"""The network of a finished run, from its logged model and its spec."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import UsageError
from dropout_lab.models.inspection import weights_fingerprint
from dropout_lab.models.kinds import RatedLayer
from dropout_lab.models.kinds.base import RATE_DECIMALS
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.site_kinds import kind_variables, take_weights
from dropout_lab.models.sites import find_sites
from dropout_lab.spec import ModelSpec, Settings
from dropout_lab.spec.kinds import SiteDropout, SiteSetting, rate_of
from dropout_lab.training.devices import configure_keras
from dropout_lab.training.rates import rates_at, steps_per_epoch
from dropout_lab.training.trainer import load_model


def restore_network(
    path: Path,
    settings: Settings,
    data: Dataset,
    run_seed: int,
    final_weights: str,
    custom_objects: Mapping[str, Any],
    num_epochs: int | None = None,
) -> Network:
    """Return the trained network of a run, with dropout at the sites that its spec has.

    The logged model has layers of Keras in place of those of dropout_lab. A network that has these is built
    again from the spec, and gets the weights and the learned rates of the logged model.

    Args:
        path: ``.keras`` file of its logged model.
        settings: Settings of the run.
        data: The examples of the run.
        run_seed: Its seed.
        final_weights: Fingerprint of its trained weights; empty if unknown.
        custom_objects: Classes and functions of the user's in it, by name.
        num_epochs: Epochs that its weights are from. [default: all]

    Raises:
        UsageError: If the logged model does not have everything that training learned.
    """
    configure_keras(settings.training.precision)
    at_end = _model_at_end(settings, len(data.train_labels), num_epochs or settings.training.epochs)
    built = build_network(at_end, data.input_shape, data.num_classes, run_seed)
    loaded = load_model(path, custom_objects)
    if not any(isinstance(site.layer, RatedLayer) for site in built.sites):
        # A network built with the last rates may lack a site whose rate ended at 0; the logged model has it.
        names = {(site.path, site.argument): site.name for site in built.sites}
        sites = find_sites(loaded)
        named = (replace(site, name=names.get((site.path, site.argument), site.name)) for site in sites)
        return replace(built, model=loaded, sites=tuple(named))
    take_weights(built.model, loaded)
    if final_weights and final_weights != weights_fingerprint(built.model, kind_variables(built.model)):
        raise UsageError(
            "the logged model does not have the weights that were trained",
            hint="Add `evaluation: {}` to the spec, and train it again with --fresh.",
        )
    return built


def _model_at_end(settings: Settings, num_examples: int, num_epochs: int) -> ModelSpec:
    """Return the network with the rates of the last training step, which no stock layer of some kinds has."""
    training, model = settings.training, settings.model.resolved()
    num_steps = steps_per_epoch(num_examples, training.batch_size)

    def at_end(setting: SiteSetting) -> SiteSetting:
        if not isinstance(setting, SiteDropout) or setting.schedule is None:
            return setting
        (rate,) = rates_at(
            setting.schedule,
            float(rate_of(setting)),
            [num_epochs * num_steps - 1],
            steps_per_epoch=num_steps,
            num_epochs=training.epochs,
        )
        return setting.model_copy(update={"rate": round(float(rate), RATE_DECIMALS), "schedule": None})

    return model.model_copy(update={"dropout": {site: at_end(one) for site, one in model.dropout.items()}})
