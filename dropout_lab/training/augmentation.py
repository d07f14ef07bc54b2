"""Random changes of the images of a training step."""

from collections.abc import Callable

import keras
import tensorflow as tf

from dropout_lab.models.keras_internals import seed_generators
from dropout_lab.seeds import derive_seed
from dropout_lab.spec.training import Augmentation


class Augmenter:
    """Changes the images of training steps at random, with random numbers of its own for each kind of change.

    The numbers follow from the run's seed and the kind alone, so all conditions see the same changed images
    at one seed. Uncovered pixels are 0.

    Args:
        spec: Which changes.
        image_shape: Height, width and channels.
        run_seed: Seed of the run.

    Attributes:
        variables: Streams of random numbers, which belong to the state of a training.
    """

    def __init__(self, spec: Augmentation, image_shape: tuple[int, ...], run_seed: int) -> None:
        layers = keras.layers
        as_stored = {"data_format": "channels_last", "dtype": "float32"}
        zeros = {"fill_mode": "constant", "fill_value": 0.0}
        self._changes: list[Callable[[tf.Tensor], tf.Tensor]] = []
        self.variables: list[keras.Variable] = []

        def add(
            kind: str, change: Callable[..., tf.Tensor], sources: list[keras.random.SeedGenerator]
        ) -> None:
            for source in sources:
                source.state.assign([derive_seed(run_seed, "augmentation", kind), 0])
                self.variables.append(source.state)
            self._changes.append(change)

        def add_layer(kind: str, layer: keras.layers.Layer) -> None:
            layer.build((None, *image_shape))
            add(kind, lambda images: layer(images, training=True), seed_generators(layer))

        if spec.crop:
            crop = RandomPart(spec.crop)
            add("crop", crop, [crop.source])
        if spec.flip:
            add_layer("flip", layers.RandomFlip(spec.flip, **as_stored))
        if spec.rotation:
            add_layer("rotation", layers.RandomRotation(spec.rotation, **zeros, **as_stored))
        if spec.translation:
            both = (spec.translation, spec.translation)
            add_layer("translation", layers.RandomTranslation(*both, **zeros, **as_stored))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Return (n, height, width, channels) stored values, changed, as float32."""
        images = tf.cast(images, tf.float32)
        for change in self._changes:
            images = change(images)
        return images


class RandomPart:
    """Cuts a part of the original size out of each image, after it was padded with zeros.

    RandomCrop of Keras cuts the same part out of all images of a batch (Keras 3.15).

    Args:
        padding: Pixels added at each side.

    Attributes:
        source: Its source of random numbers.
    """

    def __init__(self, padding: int) -> None:
        self._padding = padding
        self.source = keras.random.SeedGenerator(0)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Return the parts of `images`, (n, height, width, channels)."""
        pad = self._padding
        padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        starts = keras.random.randint((tf.shape(images)[0], 2), 0, 2 * pad + 1, seed=self.source)
        rows, columns = (starts[:, axis, None] + tf.range(images.shape[1 + axis]) for axis in (0, 1))
        part = tf.gather(padded, rows, axis=1, batch_dims=1)
        return tf.gather(part, columns, axis=2, batch_dims=1)
