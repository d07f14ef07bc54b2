"""The network of one run: built from its spec with the run's seed, so that conditions are matched twins.

A network is built with the rates that its function gives it, in every condition alike, and from random
numbers that the run's seed gives; after that the rates and kinds of the condition are set. So the initial
weights depend on neither: another kind takes a network that is built again, with a copy of the weights.
Each site then gets random numbers of its own, from the run's seed and the layer's path, so its masks depend
neither on other sites nor on the condition.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras

from dropout_lab.errors import UsageError
from dropout_lab.models.architecture import load_architecture
from dropout_lab.models.keras_internals import seeded, unchanged_state
from dropout_lab.models.kinds import ConcreteDropout, RatedLayer
from dropout_lab.models.outputs import Outputs, check_shapes, find_outputs
from dropout_lab.models.published import build_model
from dropout_lab.models.site_kinds import check_parameters, with_kinds, with_stock_layers
from dropout_lab.models.sites import Site, find_sites, seed_masks, set_rates
from dropout_lab.seeds import derive_seed
from dropout_lab.spec import ModelSpec
from dropout_lab.spec.built_in import BUILT_IN
from dropout_lab.spec.kinds import rate_of
from dropout_lab.spec.rates import site_settings, unknown_site, unknown_sites


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
        custom_objects: Classes and functions of the user's in the model, by name.
    """

    model: keras.Model
    sites: tuple[Site, ...]
    outputs: Outputs = "probabilities"
    code_fingerprint: str = ""
    code_files: tuple[Path, ...] = ()
    custom_objects: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def rates(self) -> dict[str, float]:
        """The current rate of each site, by name."""
        return {site.name: site.rate for site in self.sites}

    @property
    def rate_variables(self) -> dict[str, keras.Variable]:
        """The variable that holds the rate of each site whose rate can be set during training, by name."""
        layers = {site.name: site.layer for site in self.sites if isinstance(site.layer, RatedLayer)}
        variables = {name: layer.rate_variable for name, layer in layers.items()}
        return {name: variable for name, variable in variables.items() if variable is not None}

    @property
    def learned_rates(self) -> dict[str, float]:
        """The current rate of each site that learns it, by name."""
        return {site.name: site.rate for site in self.sites if isinstance(site.layer, ConcreteDropout)}

    def export(self) -> keras.Model:
        """Return the model as it is used without dropout_lab: stock layers, and the user's own.

        Its predictions are those of `model`, which is returned itself if it has no other layers.
        """
        return with_stock_layers(self.model, self.custom_objects)


def build_network(
    spec: ModelSpec,
    input_shape: tuple[int, ...],
    num_classes: int,
    run_seed: int,
    *,
    variable_sites: Collection[str] = (),
    num_examples: int = 1,
) -> Network:
    """Build the network of `spec` with the initial weights of `run_seed`.

    Python's, NumPy's, TensorFlow's and Keras' own random numbers are what they were afterwards.

    Args:
        spec: The network, and its rates by site, name or pattern.
        input_shape: Shape of one example.
        num_classes: Number of classes.
        run_seed: Seed of the run.
        variable_sites: Names of the sites whose rate changes during training; see `Network.rate_variables`.
        num_examples: Number of training examples, which concrete dropout weighs its prior with.

    Raises:
        FunctionError: If the user's function fails, or makes no network that Keras can build again.
        UsageError: If the network does not fit the data, a name in `dropout` fits no site, or a kind does
            not fit its site.
    """
    options: dict[str, Any] = {"variable_sites": variable_sites, "num_examples": num_examples}
    if spec.network == "published":
        # Every random choice has its own seed. TensorFlow forgets what it compiled when its own is set.
        with unchanged_state():
            network = _published(spec, input_shape, num_classes, run_seed)
            return _with_dropout(network, spec, run_seed, **options)
    with seeded(derive_seed(run_seed, "init")):
        network = _as_built(spec, input_shape, num_classes)
        return _with_dropout(network, spec, run_seed, **options)


def _with_dropout(network: Network, spec: ModelSpec, run_seed: int, **options: Any) -> Network:
    """Return `network` with the rates and kinds of `spec`, and with random numbers of its own per site."""
    dropout, as_built = spec.resolved().dropout, network.rates
    if unknown := unknown_sites(dropout, list(as_built)):
        raise UsageError(f"model.dropout: {unknown_site(unknown[0], list(as_built))}")
    settings = site_settings(dropout, as_built)
    check_parameters(settings)
    # Layers that are made again, with other dropout, find functions of the user's such as activations.
    with keras.saving.custom_object_scope(dict(network.custom_objects)):
        model, sites = with_kinds(network.model, network.sites, settings, network.custom_objects, **options)
        set_rates(sites, {name: float(rate_of(setting)) for name, setting in settings.items()})
    seed_masks(model, run_seed)
    return replace(network, model=model, sites=sites)


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
        custom_objects=architecture.custom_objects,
    )


def _published(spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int, run_seed: int) -> Network:
    """Return the published network, whose seeds are those of its layers' names."""
    model = build_model(spec, run_seed, input_shape, num_classes)
    found = find_sites(model)
    names = spec.sites or ()
    return Network(
        model=model, sites=tuple(replace(site, name=name) for site, name in zip(found, names, strict=True))
    )
