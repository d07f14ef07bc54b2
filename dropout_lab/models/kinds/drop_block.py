"""DropBlock: square blocks of a feature map."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer


@keras.saving.register_keras_serializable("dropout_lab")
class DropBlock(DropoutLayer):
    """Dropout of square blocks, chosen in each feature map of each example.

    A block starts at each element of the map where it fits with probability

        gamma = rate / b^2 * H W / ((H - b + 1) (W - b + 1)),

    where b is the size of blocks, and H and W that of the map. What is kept is multiplied by
    (number of elements) / (number kept) of the whole batch. Blocks overlap, so that the fraction dropped is
    a little below `rate`: about 1 - exp(-rate), 0.095 for 0.1 and 0.39 for 0.5.

    Use it behind convolutions of networks that overfit: it removes a part of an object, and more than
    single pixels do, but less than a whole feature map. Blocks should be smaller than the map by far; the
    paper has blocks of 7 in maps of 28 and below, with the rate rising slowly from 0 during training.

    Args:
        rate: Fraction of the elements to drop, in [0, 1), from which gamma follows.
        seed: Seed of the masks. None draws one.
        block_size: Height and width of blocks in elements. 1 is standard dropout with another scaling.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, height, width, channels) tensor.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`. The mean of equal elements is kept exactly; that of others on average, as
        elements at the border are in fewer blocks.

    Raises:
        ValueError: If `rate` or `block_size` is invalid, or the inputs have no maps of a known size of at
            least `block_size`.

    Reference:
        Ghiasi, Lin and Le, "DropBlock: A regularization method for convolutional networks", NeurIPS 2018,
        arXiv 1810.12890, algorithm 1 and equation 1, with a mask per feature map.
    """

    def __init__(self, rate: float, seed: int | None = None, *, block_size: int = 7, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if isinstance(block_size, bool) or not isinstance(block_size, int) or block_size < 1:
            raise ValueError(
                "Invalid value received for argument `block_size`. Expected an integer of at least 1. "
                f"Received: block_size={block_size!r}"
            )
        self.block_size = block_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that blocks fit into the feature maps."""
        sizes = [size for size in input_shape[1:3] if size is not None]
        if len(input_shape) != 4 or len(sizes) < 2:
            raise ValueError(
                "DropBlock drops blocks of feature maps. Expected inputs (batch, height, width, channels) "
                f"with a known height and width. Received: input_shape={tuple(input_shape)}"
            )
        if self.block_size > min(sizes):
            raise ValueError(
                f"DropBlock has blocks larger than the feature map. Expected a block_size of at most "
                f"{min(sizes)}. Received: block_size={self.block_size}, input_shape={tuple(input_shape)}"
            )

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        kept = self.draw_kept_blocks(inputs)
        num_kept = ops.maximum(ops.sum(ops.cast(kept, "int32")), 1)
        scale = ops.cast(ops.size(inputs), inputs.dtype) / ops.cast(num_kept, inputs.dtype)
        return ops.where(kept, inputs * scale, 0.0)

    def draw_kept_blocks(self, inputs: Any) -> Any:
        """Draw which elements lie in no block."""
        batch, height, width, channels = ops.shape(inputs)
        rows, columns = height - self.block_size + 1, width - self.block_size + 1
        gamma = self.applied_rate / self.block_size**2 * (height * width / (rows * columns))
        starts = self.uniform((batch, rows, columns, channels)) < ops.cast(gamma, "float32")
        in_rows = _widened(starts, self.block_size, axis=1)
        return ops.logical_not(_widened(in_rows, self.block_size, axis=2))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "block_size": self.block_size}


def _widened(starts: Any, size: int, axis: int) -> Any:
    """Return which elements lie in a stretch of `size` along `axis` that begins at one of `starts`.

    Widths double, and bits take a fourth of the memory of numbers: faster than max-pooling on a processor.
    """
    padding = [(size - 1, size - 1) if dimension == axis else (0, 0) for dimension in range(4)]
    covered, width = ops.pad(starts, padding), 1
    while width < size:
        step = min(width, size - width)
        before, after = [slice(None)] * 4, [slice(None)] * 4
        before[axis], after[axis] = slice(None, -step), slice(step, None)
        covered = ops.logical_or(covered[tuple(before)], covered[tuple(after)])
        width += step
    return covered
