"""How long a training step of the Keras engine takes with each kind of dropout, relative to standard dropout.

    python benchmarks/kinds.py                              # all kinds, about 1 minute on a quiet machine
    python benchmarks/kinds.py "DropBlock 7" --rounds 30
    python benchmarks/kinds.py --write                      # and into RESULTS.md

The network is the published one, on batches of 200 images of 28 x 28 pixels, with each of its dropout layers
replaced; DropConnect takes them out, and drops weights of the layers before. In each round all kinds take the
same number of steps, one after the other, so that what disturbs the machine disturbs all; ratios are taken
within a round, and their median and quartiles reported, by the clock and by the time of the processors.
Ratios above 1.6 are marked.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_engine import seconds
from results import machine, markdown_table, write_section

if TYPE_CHECKING:
    import keras

BAR = 1.6
RATE = 0.2
BATCH_SIZE = 200
NUM_STEPS = 4


@dataclass(frozen=True)
class Kind:
    """Name and arguments of the layer in place of dropout; without a name, the layers of Keras stay."""

    layer: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    only_maps: bool = False


REFERENCE = "standard (Keras)"
DROP_CONNECT = "DropConnect"
KINDS = {
    REFERENCE: Kind(),
    "standard, variable rate": Kind("StandardDropout", {"variable_rate": True}),
    "spatial": Kind("SpatialDropout", only_maps=True),
    "gaussian": Kind("GaussianDropout"),
    "alpha": Kind("AlphaDropout"),
    "alpha, variable rate": Kind("AlphaDropout", {"variable_rate": True}),
    "DropBlock 3": Kind("DropBlock", {"block_size": 3}, only_maps=True),
    "DropBlock 7": Kind("DropBlock", {"block_size": 7}, only_maps=True),
    "stochastic depth": Kind("StochasticDepth"),
    "concrete": Kind("ConcreteDropout", {"num_examples": 60_000}),
    "DropConnect": Kind(DROP_CONNECT),
}


def replaced(layer: "keras.layers.Layer", kind: Kind) -> "keras.layers.Layer":
    """Return what stands in place of `layer` in the network with `kind`."""
    import keras

    from dropout_lab.models import kinds

    config = layer.get_config()
    is_dropout = isinstance(layer, keras.layers.Dropout)
    if kind.layer == DROP_CONNECT:
        if is_dropout:
            return keras.layers.Activation("linear")
        if layer.name.startswith(("conv2d", "dense")) and layer.name != "dense_1":
            return getattr(kinds, f"{DROP_CONNECT}{type(layer).__name__}")(RATE, 0, **config)
    elif kind.layer and is_dropout and not (kind.only_maps and len(layer.input.shape) != 4):
        return getattr(kinds, kind.layer)(RATE, 0, **kind.options)
    return type(layer).from_config(config)


def steps_of(kind: Kind) -> Callable[[], None]:
    """Return what trains the network with `kind` for `NUM_STEPS` steps."""
    import keras

    from dropout_lab.data.scaling import UNIT_PIXELS
    from dropout_lab.models.network import Network
    from dropout_lab.models.published import build_model
    from dropout_lab.spec import ModelSpec, TrainingSpec
    from dropout_lab.training.engines.keras_engine import KerasEngine
    from dropout_lab.training.optimizers import build_optimizer

    random = np.random.default_rng(0)
    size = BATCH_SIZE * NUM_STEPS
    pixels = random.integers(0, 256, (size, 28, 28, 1), np.uint8)
    published = build_model(ModelSpec.model_validate({"dropout": RATE}), 0)
    model = keras.models.clone_model(published, clone_function=lambda layer: replaced(layer, kind))
    engine = KerasEngine(
        Network(model=model, sites=()),
        build_optimizer(TrainingSpec(), model),
        pixels,
        random.integers(0, 10, size),
        UNIT_PIXELS,
    )
    batches = np.arange(size).reshape(NUM_STEPS, BATCH_SIZE)

    def run() -> None:
        engine.run(batches, 0)

    for _ in range(2):
        run()  # traced, compiled and warm
    return run


def measure(names: list[str], num_rounds: int) -> list[tuple[str, ...]]:
    contestants = [steps_of(KINDS[name]) for name in names]
    # (rounds, kinds, 2) of seconds by the clock and of the processors
    times = np.array([[seconds(run) for run in contestants] for _ in range(num_rounds)])
    milliseconds = np.median(times[..., 0], axis=0) / NUM_STEPS * 1000
    ratios = np.percentile(times / times[:, :1], [25, 50, 75], axis=0)
    return [
        (
            name,
            f"{milliseconds[kind]:.0f}",
            *(
                f"{middle:.2f} ({low:.2f} to {high:.2f})" + " above the bar" * bool(middle > BAR)
                for low, middle, high in ratios[:, kind].T
            ),
        )
        for kind, name in enumerate(names)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="kinds (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()

    from dropout_lab.libraries import set_variables

    set_variables()  # as `dropout-lab run` does, before TensorFlow is imported
    names = [REFERENCE, *(name for name in options.kinds or KINDS if name != REFERENCE)]
    header = ("kind", "ms a step", "times standard, clock", "by CPU time")
    text = markdown_table(header, measure(names, options.rounds)) + f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Kinds of dropout", text)


if __name__ == "__main__":
    main()
