"""A network with another kind of dropout at some of its sites, and what it is outside of dropout_lab."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import keras

from dropout_lab.errors import UsageError
from dropout_lab.models.kind_layers import stock_layer
from dropout_lab.models.kinds import ConcreteDropout, RatedLayer
from dropout_lab.models.placing import dropping_path, layers_at, link_concrete
from dropout_lab.models.rewriting import NoConfigurationError, copy_weights, with_layers
from dropout_lab.models.sites import Site, find_sites, walk
from dropout_lab.spec.kinds import SiteDropout


def with_kinds(
    model: keras.Model,
    sites: tuple[Site, ...],
    settings: Mapping[str, float | SiteDropout],
    custom_objects: Mapping[str, Any],
    *,
    variable_sites: Collection[str],
    num_examples: int,
) -> tuple[keras.Model, tuple[Site, ...]]:
    """Return `model` with the kind of dropout that `settings` have for each site, and its sites.

    The weights are those of `model`, whatever the kinds; what a kind adds, such as a learned rate, has the
    initial value that its setting gives. Nothing is built again if all kinds are those of `model`.

    Args:
        model: A network as it is built.
        sites: Its sites.
        settings: Complete setting of each site, by name.
        custom_objects: Classes and functions of the user's in `model`, by name.
        variable_sites: Names of the sites whose rate changes during training.
        num_examples: Number of training examples.

    Raises:
        UsageError: If a kind does not fit its site.
    """
    layers: dict[str, keras.layers.Layer] = {}
    places: dict[str, str] = {}
    for site in sites:
        setting, is_variable = settings[site.name], site.name in variable_sites
        if not isinstance(setting, SiteDropout):
            setting = SiteDropout(rate=setting)
        if setting.kind is None and not is_variable:
            continue
        found = layers_at(site, setting, model, is_variable=is_variable, num_examples=num_examples)
        if not found:
            continue
        places[site.name] = dropping_path(site, setting, model)
        if taken := [name for name, place in places.items() if place in found and name != site.name]:
            raise UsageError(
                f"model.dropout.{site.name}.kind: dropconnect drops the weights of the layer"
                f" {places[site.name]}, which the site {taken[0]} drops (allowed: one of the two)"
            )
        layers |= found
    if not layers:
        return model, sites
    try:
        built = with_layers(model, layers, custom_objects)
    except NoConfigurationError as error:
        name = next(site.name for site in sites if str(error) in (site.path, places.get(site.name)))
        raise UsageError(
            f"model.dropout.{name}: the constructor of a layer of yours makes the dropout layer {error}, so"
            " only its rate can change",
            hint="Give the dropout layer to your layer as an argument, and save it in its get_config.",
        ) from None
    link_concrete(built)
    return built, _sites_of(built, sites, places)


def check_parameters(settings: Mapping[str, float | SiteDropout]) -> None:
    """Check that the complete setting of each site has only parameters of its kind.

    Raises:
        UsageError: With the first that belongs to another kind.
    """
    for name, setting in settings.items():
        if isinstance(setting, SiteDropout):
            for field in setting.foreign_parameters:
                problem = setting.misplaced(field)["problem"]
                raise UsageError(f"model.dropout.{name}.{field}: {problem}")


def _sites_of(built: keras.Model, sites: tuple[Site, ...], places: Mapping[str, str]) -> tuple[Site, ...]:
    """Return the sites of a network that is built again, in the order and with the names of `sites`."""
    by_path = dict(walk(built))
    same = {(site.path, site.argument): site for site in find_sites(built)}
    found = []
    for site in sites:
        if site.name in places:
            layer = by_path[places[site.name]]
            kind = type(layer).__name__
            found.append(replace(site, path=places[site.name], layer=layer, kind=kind))
        else:
            found.append(replace(same[site.path, site.argument], name=site.name))
    return tuple(found)


def with_stock_layers(model: keras.Model, custom_objects: Mapping[str, Any]) -> keras.Model:
    """Return `model` without layers of dropout_lab, to be used without it.

    At inference both are the same. Rates that change, or were learned, are what they are now. DropBlock
    becomes a dropout layer with rate 0, concrete dropout one with the learned rate, and a layer that drops
    weights the layer of Keras that it is otherwise. `model` itself is returned if it has no layer of
    dropout_lab.

    Args:
        model: A network.
        custom_objects: Classes and functions of the user's in it, by name.
    """
    with keras.saving.custom_object_scope(dict(custom_objects)):
        layers = {path: stock_layer(layer) for path, layer in walk(model) if isinstance(layer, RatedLayer)}
    return with_layers(model, layers, custom_objects) if layers else model


def take_weights(model: keras.Model, stock: keras.Model) -> None:
    """Give `model` the weights, and the learned rates, of what `with_stock_layers` made of an equal one."""
    copy_weights(stock, model)
    rates = {path: layer.rate for path, layer in walk(stock) if hasattr(layer, "rate")}
    for path, layer in walk(model):
        if isinstance(layer, ConcreteDropout) and layer.logit is not None:
            layer.logit.assign(math.log(rates[path] / (1 - rates[path])))


def kind_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the weights in `model` that kinds of dropout add to those of the network: rates and logits."""
    layers = [layer for _, layer in walk(model) if isinstance(layer, RatedLayer)]
    found = [one for layer in layers for one in (layer.rate_variable, getattr(layer, "logit", None))]
    return [variable for variable in found if variable is not None]
