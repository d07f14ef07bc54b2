"""Kinds of dropout at the sites of a network: which one fits where, and the layers that it takes.

Where Keras has a layer for a kind at a constant rate, that is used. A rate that changes during training, and
kinds that Keras does not have, take the layers of `dropout_lab.models.kinds`.
"""

from typing import Any

import keras

from dropout_lab.errors import UsageError
from dropout_lab.models.keras_internals import operations_after, operations_before
from dropout_lab.models.kind_layers import SPATIAL, WEIGHTED, common_options, kind_of, layer_of
from dropout_lab.models.kinds import ConcreteDropout
from dropout_lab.models.sites import LAYERS, Site, walk
from dropout_lab.spec.kinds import KINDS, PARAMETERS, SiteDropout

Layers = dict[str, keras.layers.Layer]

PASSED = (
    *LAYERS,
    *(keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU),
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute, keras.layers.Identity),
    *(keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.GroupNormalization),
    *(keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D),
    *(keras.layers.AveragePooling1D, keras.layers.AveragePooling2D, keras.layers.AveragePooling3D),
    *(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D),
    *(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D),
    *(keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D),
)
"""Layers between a site and the layer whose weights belong to it."""


def layers_at(
    site: Site, setting: SiteDropout, model: keras.Model, *, is_variable: bool, num_examples: int
) -> Layers:
    """Return the layers that give a site of `model` its kind, by the path of those that they replace.

    Args:
        site: The site.
        setting: Its complete setting.
        model: The network as it is built.
        is_variable: Whether its rate changes during training.
        num_examples: Number of training examples.

    Returns:
        New layers; empty if the layer of the site is already what it should be.

    Raises:
        UsageError: If the kind does not fit the site.
    """
    built = kind_of(site)
    kind = setting.kind or built
    if kind == built and not is_variable:
        return {}
    if reason := unfit(kind, site, setting, model, is_variable=is_variable):
        fitting = [one for one in KINDS if not unfit(one, site, setting, model, is_variable=is_variable)]
        allowed = ", ".join(fitting) or "none, only its rate can change"
        field = "kind" if setting.kind else "schedule"
        raise UsageError(f"model.dropout.{site.name}.{field}: {reason} (allowed here: {allowed})")
    assert kind is not None
    options = {name: getattr(setting, name) for name in PARAMETERS.get(kind, {})}
    if kind == "concrete":
        options["num_examples"] = num_examples
    if is_variable:
        options["variable_rate"] = True
    rate = float(setting.rate or 0)
    if kind != "dropconnect":
        return {site.path: layer_of(kind, site, rate, options, is_variable=is_variable)}
    path, layer = _feeding(site, model)
    config = layer.get_config() | {"rate": rate, **options}
    dropping = WEIGHTED[type(layer)].from_config(config)
    return {site.path: keras.layers.Dropout(0.0, **common_options(site.layer)), path: dropping}


def dropping_path(site: Site, setting: SiteDropout, model: keras.Model) -> str:
    """Return the path of the layer that drops at a site."""
    return _feeding(site, model)[0] if setting.kind == "dropconnect" else site.path


def unfit(
    kind: str | None, site: Site, setting: SiteDropout, model: keras.Model, *, is_variable: bool
) -> str:
    """Return why `kind` cannot be at `site`; empty if it can."""
    if site.argument != "rate":
        return f"{site.name} is an argument of the layer {site.kind.partition('.')[0]}, not a dropout layer"
    if kind is None:
        return f"{site.name} is a layer of the class {type(site.layer).__name__}"
    shape = " x ".join("any" if size is None else str(size) for size in site.shape or ())
    rank = 0 if site.shape is None else len(site.shape) + 1
    match kind:
        case "spatial" | "dropblock" | "stochastic_depth" | "dropconnect" if not rank:
            return f"{kind} needs to know the shape of the values, which a wrapper of {site.name} hides"
        case "spatial" if rank not in SPATIAL:
            return f"spatial drops whole feature maps, but {site.name} has values of shape {shape}"
        case "dropblock" if rank != 4:
            return f"dropblock drops squares of images, but {site.name} has values of shape {shape}"
        case "dropblock":
            return _too_large(setting.block_size or PARAMETERS["dropblock"]["block_size"], site, shape)
        case "stochastic_depth" if not _is_branch(site.layer):
            return f"stochastic_depth drops residual branches, but {site.name} does not end one with Add"
        case "dropconnect":
            try:
                _feeding(site, model)
            except LookupError as error:
                return f"dropconnect drops weights, but {error}"
        case "concrete" if is_variable:
            return "concrete learns its rate, which cannot have a schedule"
    return ""


def link_concrete(model: keras.Model) -> None:
    """Let each concrete site in `model` regularize the weights that take its outputs."""
    for _, layer in walk(model):
        if isinstance(layer, ConcreteDropout) and (taking := _taking(layer)) is not None:
            layer.regularize(taking)


def _too_large(block_size: int, site: Site, shape: str) -> str:
    sizes = (site.shape or ())[:2]
    known = [size for size in sizes if size is not None]
    if len(known) < 2:
        return f"dropblock needs images of a known size, but {site.name} has values of shape {shape}"
    if block_size <= min(known):
        return ""
    square = f"{block_size} x {block_size}"
    return f"dropblock drops squares of {square}, but {site.name} has values of shape {shape}"


def _is_branch(layer: keras.layers.Layer) -> bool:
    """Return whether the outputs of `layer` go into a sum, and nowhere else."""
    after = operations_after(layer)
    return bool(after) and all(type(one).__name__ == "Add" for one in after)


def _feeding(site: Site, model: keras.Model) -> tuple[str, keras.layers.Layer]:
    """Return the layer whose weights make the values at `site`, with its path.

    Raises:
        LookupError: If there is no such layer, or none that can drop weights; the text says which.
    """
    operation: Any = site.layer
    while True:
        before = operations_before(operation)
        if len(before) != 1 or isinstance(before[0], keras.layers.InputLayer):
            raise LookupError(f"no Dense or Conv2D layer precedes {site.name}")
        operation = before[0]
        if type(operation) in WEIGHTED:
            break
        if not _is_passed(operation):
            raise LookupError(f"{site.name} follows a layer of the class {type(operation).__name__}")
    for path, layer in walk(model):
        if layer is operation:
            return path, layer
    raise LookupError(f"the layer that precedes {site.name} is no layer of the network")


def _taking(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """Return the one layer with a kernel that takes the outputs of `layer`; None if there is no one."""
    operation: Any = layer
    while len(after := operations_after(operation)) == 1:
        (operation,) = after
        if getattr(operation, "kernel", None) is not None:
            return operation
        if not _is_passed(operation):
            return None
    return None


def _is_passed(operation: Any) -> bool:
    return isinstance(operation, PASSED) or type(operation).__module__ == "keras.src.ops.nn"
