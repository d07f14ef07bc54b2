"""The network of one run: built from its spec with the run's seed, so that conditions are matched twins.

A network is built with the rates that its function gives it, in every condition alike, and from random
numbers that the run's seed gives; after that the rates of the condition are set. So the initial weights do
not depend on the rates. Each site then gets random numbers of its own, from the run's seed and the layer's
path, so its masks depend neither on other sites nor on the condition.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from dropout_lab.errors import UsageError
from dropout_lab.models.architecture import load_architecture
from dropout_lab.models.keras_internals import seeded
from dropout_lab.models.outputs import Outputs, check_shapes, find_outputs
from dropout_lab.models.published import build_model
from dropout_lab.models.sites import Site, find_sites, seed_masks, set_rates
from dropout_lab.seeds import derive_seed
from dropout_lab.spec import ModelSpec
from dropout_lab.spec.built_in import BUILT_IN
from dropout_lab.spec.rates import site_rates, unknown_site, unknown_sites


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network, ready to train.

    Attributes:
        model: Built Keras model from (batch, *input_shape) to (batch, num_classes), with the initial weights
            and rates of a run.
        sites: Its dropout sites, from the input on.
        outputs: Whether it puts out probabilities or logits.
        code_fingerprint: 16 hexadecimal digits over the user's code that makes it; empty if it is built in.
        code_files: Files of the user's with that code, which a logged model needs.
    """

    model: keras.Model
    sites: tuple[Site, ...]
    outputs: Outputs = "probabilities"
    code_fingerprint: str = ""
    code_files: tuple[Path, ...] = ()

    @property
    def rates(self) -> dict[str, float]:
        """The current rate of each site, by name."""
        return {site.name: site.rate for site in self.sites}


def build_network(spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int, run_seed: int) -> Network:
    """Build the network of `spec` with the initial weights of `run_seed`.

    Python's, NumPy's, TensorFlow's and Keras' own random numbers are what they were afterwards.

    Args:
        spec: The network, and its rates by site, name or pattern.
        input_shape: Shape of one example.
        num_classes: Number of classes.
        run_seed: Seed of the run.

    Raises:
        FunctionError: If the user's function fails, or makes no network that Keras can build again.
        UsageError: If the network does not fit the data, or a name in `dropout` fits no site.
    """
    if kinds := spec.kinds:
        site, kind = next(iter(kinds.items()))
        raise UsageError(f"model.dropout.{site}.kind: {kind} is not available (allowed: standard)")
    if spec.network == "published":
        # Every random choice has its own seed. TensorFlow forgets what it compiled when its own is set.
        return _published(spec, input_shape, num_classes, run_seed)
    with seeded(derive_seed(run_seed, "init")):
        network = _as_built(spec, input_shape, num_classes)
        as_built = network.rates
        if unknown := unknown_sites(spec.dropout, list(as_built)):
            raise UsageError(f"model.dropout: {unknown_site(unknown[0], list(as_built))}")
        set_rates(network.sites, site_rates(spec.dropout, as_built))
        seed_masks(network.model, run_seed)
    return network


def _as_built(spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int) -> Network:
    """Return the network with the rates that its function gives it."""
    if spec.is_built_in:
        module, _, name = BUILT_IN[spec.network].builder.partition(":")
        builder: Callable[..., keras.Model] = getattr(importlib.import_module(module), name)
        model = builder(input_shape=input_shape, num_classes=num_classes, **spec.field_values)
        return Network(model=model, sites=find_sites(model))
    architecture = load_architecture(spec, input_shape, num_classes)
    model = architecture.build()
    check_shapes(model, input_shape, num_classes, spec.network)
    return Network(
        model=model,
        sites=find_sites(model),
        outputs=find_outputs(model, spec.outputs, spec.network),
        code_fingerprint=architecture.code_fingerprint,
        code_files=architecture.code_files,
    )


def _published(spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int, run_seed: int) -> Network:
    """Return the published network, whose seeds are those of its layers' names."""
    model = build_model(spec, run_seed, input_shape, num_classes)
    found = find_sites(model)
    names = spec.sites or ()
    return Network(
        model=model, sites=tuple(replace(site, name=name) for site, name in zip(found, names, strict=True))
    )
