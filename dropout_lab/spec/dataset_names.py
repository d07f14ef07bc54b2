"""The datasets that a spec names by a word: one entry per dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class NamedDataset:
    """A dataset that a spec names by a word.

    Attributes:
        loader: ``module:function`` that returns ``(x_train, y_train), (x_test, y_test)`` as the loaders of
            Keras do, or ``(x, y)``, or a `dropout_lab.data.source.Source`.
        class_names: Names of the classes, by class number; empty if they have none.
        fields: Fields of `DataSpec` that `loader` is called with.
        hint: How to get the data if `loader` fails.
        cached: Pattern of the files that Keras keeps in its folder of datasets; empty if it keeps none.
    """

    loader: str
    class_names: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    hint: str = ""
    cached: str = ""


_KERAS_HINT = (
    "Keras downloads it on first use. Repeat the command with access to the internet, or copy {file} of "
    "another machine to the same place under ~/.keras/datasets (or $KERAS_HOME/datasets)."
)

_CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table
tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""

DATASETS: Final[Mapping[str, NamedDataset]] = {
    "fashion_mnist": NamedDataset(
        loader="dropout_lab.data.fashion_mnist:load_source",
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        fields=("folder",),
    ),
    "mnist": NamedDataset(
        loader="keras.datasets.mnist:load_data",
        hint=_KERAS_HINT.format(file="the file mnist.npz"),
        cached="mnist.npz*",
    ),
    "cifar10": NamedDataset(
        loader="keras.datasets.cifar10:load_data",
        class_names=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        hint=_KERAS_HINT.format(file="the files cifar-10-batches-py-target*"),
        cached="cifar-10-batches-py*",
    ),
    "cifar100": NamedDataset(
        loader="keras.datasets.cifar100:load_data",
        class_names=tuple(name.replace("_", " ") for name in _CIFAR100.split()),
        hint=_KERAS_HINT.format(file="the files cifar-100-python-target*"),
        cached="cifar-100-python*",
    ),
    "digits": NamedDataset(loader="dropout_lab.data.digits:load_data"),
}
"""Datasets by the word that a spec has for them."""
