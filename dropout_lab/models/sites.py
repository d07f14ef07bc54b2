"""Dropout sites: the places of any Keras model where units are dropped, and their rates.

Sites are dropout layers of Keras, however deep in nested models, wrappers and layers of the user's, and the
arguments `dropout` and `recurrent_dropout` of layers of Keras such as LSTM and MultiHeadAttention. Random
numbers that a layer of the user's draws itself are no site.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import keras

from dropout_lab.models.keras_internals import add_seed_generator, seed_generators, sublayers
from dropout_lab.models.kinds import RatedLayer
from dropout_lab.seeds import derive_seed

LAYERS = (
    keras.layers.Dropout,  # includes SpatialDropout1D, 2D and 3D
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
)
ARGUMENTS = ("dropout", "recurrent_dropout")
_UNSAFE = re.compile(r"[^\w./ -]")
"""Characters that names in MLflow do not have."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place where units are dropped.

    Attributes:
        name: Name of the layer, with its path if another site has this name, and with the argument if it is
            not a dropout layer: ``lstm.recurrent_dropout``. In `published` the name that specs use.
        path: Names of the layers around it and its own, joined with ``/``.
        kind: Class of the layer, and the argument: ``SpatialDropout2D``, ``LSTM.recurrent_dropout``.
        argument: Argument of the layer that holds the rate.
        shape: Shape of what is dropped, without the batch; None if unknown.
        layer: The layer, or the cell of a recurrent layer, that drops.
    """

    name: str
    path: str
    kind: str
    argument: str
    shape: tuple[int | None, ...] | None
    layer: keras.layers.Layer

    @property
    def rate(self) -> float:
        """The current rate."""
        if isinstance(self.layer, RatedLayer):
            return float(self.layer.current_rate)
        return float(getattr(self.layer, self.argument))


def find_sites(model: keras.Model) -> tuple[Site, ...]:
    """Return the sites of `model`, from the input on."""
    found: list[Site] = []
    inside = None
    for path, layer in walk(model):
        if inside is not None and path.startswith(inside):
            continue  # a part of a layer that has sites itself
        arguments = ("rate",) if isinstance(layer, LAYERS) else _arguments(type(layer))
        found += [_site(layer, path, argument) for argument in arguments]
        inside = f"{path}/" if arguments else None
    uses = Counter(site.name for site in found)
    return tuple(
        replace(site, name=site.path + site.name[len(site.name.split(".")[0]) :])
        if uses[site.name] > 1
        else site
        for site in found
    )


def walk(model: keras.Model) -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yield each layer in `model` with its path, once."""
    paths: Counter[str] = Counter()
    seen = {id(model)}

    def below(parent: keras.layers.Layer, prefix: str) -> Iterator[tuple[str, keras.layers.Layer]]:
        for layer in sublayers(parent):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = prefix + layer.name
            paths[path] += 1
            path += f"_{paths[path]}" * (paths[path] > 1)
            yield path, layer
            yield from below(layer, f"{path}/")

    yield from below(model, "")


def set_rates(sites: tuple[Site, ...], rates: Mapping[str, float]) -> None:
    """Set the rate of each of `sites`, by name, as if its layer had been made with it; those made here were.

    The rate changes what a layer of Keras is made of: a dropout layer with rate 0 has no source of random
    numbers, and an LSTM with `recurrent_dropout` computes in another way.
    """
    for site in sites:
        if rates[site.name] != site.rate and not isinstance(site.layer, RatedLayer):
            _set_rate(site.layer, site.argument, rates[site.name])


def seed_masks(model: keras.Model, run_seed: int, purpose: str = "mask") -> None:
    """Give each source of random numbers in `model` its seed, from the run's seed and its layer's path."""
    for path, layer in walk(model):
        for number, source in enumerate(seed_generators(layer)):
            names = (purpose, path, number) if number else (purpose, path)
            source.state.assign([derive_seed(run_seed, *names), 0])


@contextmanager
def random_numbers_kept(model: keras.Model) -> Iterator[None]:
    """Leave the random numbers of `model` as they are: recurrent layers of Keras draw some at inference."""
    sources = [source for _, layer in walk(model) for source in seed_generators(layer)]
    states = [source.state.numpy() for source in sources]
    try:
        yield
    finally:
        for source, state in zip(sources, states, strict=True):
            source.state.assign(state)


def _site(layer: keras.layers.Layer, path: str, argument: str) -> Site:
    kind, name = type(layer).__name__, layer.name
    if argument != "rate":
        kind, name = f"{kind}.{argument}", f"{name}.{argument}"
    # A recurrent layer such as LSTM makes the cell that drops.
    owner = layer.cell if isinstance(layer, keras.layers.RNN) else layer
    try:
        shape = tuple(layer.input.shape[1:]) if argument == "rate" else None
    except (AttributeError, ValueError):  # in a layer of the user's, or used twice
        shape = None
    return Site(
        name=_UNSAFE.sub("_", name), path=path, kind=kind, argument=argument, shape=shape, layer=owner
    )


def _arguments(kind: type) -> tuple[str, ...]:
    """Return which of `ARGUMENTS` a class of Keras, or a class of the user's derived from it, takes."""
    for base in kind.__mro__:
        if base.__module__.startswith("keras.src.layers."):
            parameters = inspect.signature(base).parameters
            return tuple(argument for argument in ARGUMENTS if argument in parameters)
    return ()


def _set_rate(layer: keras.layers.Layer, argument: str, rate: float) -> None:
    """Set what the constructor of `layer` makes of another rate."""
    config = layer.get_config()
    made_before, made_now = (
        type(layer).from_config(config | {argument: r}) for r in (config[argument], rate)
    )
    before, now = vars(made_before), vars(made_now)
    for name, value in now.items():
        if isinstance(value, keras.random.SeedGenerator):
            if name not in vars(layer):
                add_seed_generator(layer, name)
        elif isinstance(value, int | float) and before.get(name) != value:
            setattr(layer, name, value)
    for part in sublayers(layer):
        if isinstance(part, LAYERS):  # an attention layer drops with one of these
            _set_rate(part, "rate", rate)
