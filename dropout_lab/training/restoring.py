"""The network of a finished run, from its logged model and its spec."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import UsageError
from dropout_lab.models.inspection import weights_fingerprint
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.sites import find_sites
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

    Kinds of dropout without a layer of Keras are missing in the logged model. The network is then built
    again from the spec, and gets the weights of the logged model.

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
    if len(sites) == len(built.sites):
        names = [site.name for site in built.sites]
        named = tuple(replace(site, name=name) for site, name in zip(sites, names, strict=True))
        return replace(built, model=loaded, sites=named)
    trained = {variable.path: variable for variable in loaded.weights}
    for variable in built.model.weights:
        if variable.path in trained and variable.shape == trained[variable.path].shape:
            variable.assign(trained[variable.path])
    if final_weights != weights_fingerprint(built.model):
        missing = [one.path for one in built.model.weights if one.path not in trained]
        lacking = f" (missing: {', '.join(missing[:3])})" if missing else ""
        raise UsageError(
            f"the logged model does not have all that its dropout needs{lacking}",
            hint="Add `evaluation: {}` to the spec, and train it again with --fresh.",
        )
    return built
