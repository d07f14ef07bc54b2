"""The network of a finished run, from its logged model and its spec."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import UsageError
from dropout_lab.models.inspection import weights_fingerprint
from dropout_lab.models.kinds import RatedLayer
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.site_kinds import kind_variables, take_weights
from dropout_lab.models.sites import find_sites, set_rates
from dropout_lab.spec import Settings
from dropout_lab.training.devices import configure_keras
from dropout_lab.training.trainer import load_model


def restore_network(
    path: Path,
    settings: Settings,
    data: Dataset,
    run_seed: int,
    final_weights: str,
    custom_objects: Mapping[str, Any],
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

    Raises:
        UsageError: If the logged model does not have everything that training learned.
    """
    configure_keras(settings.training.precision)
    built = build_network(settings.model, data.input_shape, data.num_classes, run_seed)
    loaded = load_model(path, custom_objects)
    sites = find_sites(loaded)
    if not any(isinstance(site.layer, RatedLayer) for site in built.sites):
        names = [site.name for site in built.sites]
        named = tuple(replace(site, name=name) for site, name in zip(sites, names, strict=True))
        return replace(built, model=loaded, sites=named)
    take_weights(built.model, loaded)
    # A rate that changed is logged as it was in the last step.
    at_end = {site.path: site.rate for site in sites}
    set_rates(built.sites, {site.name: at_end.get(site.path, site.rate) for site in built.sites})
    if final_weights and final_weights != weights_fingerprint(built.model, kind_variables(built.model)):
        raise UsageError(
            "the logged model does not have the weights that were trained",
            hint="Add `evaluation: {}` to the spec, and train it again with --fresh.",
        )
    return built
