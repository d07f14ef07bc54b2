"""The parts of the network between its matrix products, forward and backward, as compiled functions.

They compute in float32. Products before and after them may be of a lower precision.

Bias, ReLU, dropout and max-pooling are one block each. With h_j the four elements of a pooling window before
the bias b, keep_j their masks and s = 1 / (1 - rate), dropping and then pooling gives

    max_j(keep_j * s * relu(h_j + b)) = s * relu(max over the kept j of h_j + b),

so that the bias, the ReLU and the scale need one operation a window instead of four, and only the winner
of a window, if it is above zero, receives a gradient. A block's output carries all that its backward pass
needs: where it is zero nothing is passed back, elsewhere the two lowest bits of the float hold the number
of the winner, which changes the value by less than 2**-21 of itself.
"""

import numpy as np
import tensorflow as tf

from dropout_lab.training.engines.masks import WINDOW, Mask, kept, random_words

WINNER_BITS = np.uint32(3)
NOTHING_KEPT = np.float32(-np.inf)


def pool(candidates: list[tf.Tensor], bias: tf.Tensor, mask: Mask | None, *, drop_first: bool) -> tf.Tensor:
    """Add the bias, apply ReLU, drop, and pool (or pool, and drop).

    Args:
        candidates: h_0 to h_3, each (num_examples, height, width, channels) after pooling, of any precision.
        bias: (channels,).
        mask: Mask of the layer, or None if nothing is dropped.
        drop_first: Whether dropout stands before pooling, or after it.

    Returns:
        The pooled activations, each with its winner in its lowest bits.
    """
    words = None if mask is None else random_words(mask.keys, tuple(candidates[0].shape[1:]))
    best = winner = None
    for j, candidate in enumerate(candidates):
        value = tf.cast(candidate, tf.float32)
        if mask is not None and drop_first:
            value = tf.where(kept(words, j, mask.threshold), value, NOTHING_KEPT)
        if best is None:
            best, winner = value, tf.zeros_like(value, tf.uint32)
        else:
            # Strictly greater: of equal values the first wins, as in MaxPoolGrad.
            wins = value > best
            best, winner = tf.where(wins, value, best), tf.where(wins, np.uint32(j), winner)
    output = _scaled(best + bias, mask)
    is_zero = output <= 0  # not "> 0" reversed: NaN must stay NaN, so that a diverged training is seen
    if mask is not None and not drop_first:
        is_zero |= ~kept(words, 0, mask.threshold)
    tagged = tf.bitcast((tf.bitcast(output, tf.uint32) & ~WINNER_BITS) | winner, tf.float32)
    return tf.where(is_zero, np.float32(0), tagged)


def unpool(output: tf.Tensor, gradient: tf.Tensor, mask: Mask | None) -> tf.Tensor:
    """Pass the gradient of a block's output back to h, before the bias: to the winners, times s.

    Args:
        output: From `pool`, (num_examples, height, width, channels).
        gradient: Gradient of the loss by `output`, in the same shape, of any precision.
        mask: Mask of the layer, or None if nothing was dropped.

    Returns:
        (num_examples, height, 2, width, 2, channels) in the precision of `gradient`: reshaped, it is the
        gradient by h.
    """
    passed = tf.cast(undrop(output, gradient, mask), gradient.dtype)
    winner = tf.bitcast(output, tf.uint32) & WINNER_BITS
    number = np.arange(WINDOW * WINDOW, dtype=np.uint32).reshape(1, 1, WINDOW, 1, WINDOW, 1)
    is_winner = winner[:, :, None, :, None] == tf.constant(number)
    return tf.where(is_winner, passed[:, :, None, :, None], tf.zeros((), passed.dtype))


def bias_gradient(output: tf.Tensor, gradient: tf.Tensor, mask: Mask | None) -> tf.Tensor:
    """Return the sum of what `unpool` passes back for each channel."""
    return tf.reduce_sum(undrop(output, gradient, mask), axis=(0, 1, 2))


def split_windows(h: tf.Tensor) -> list[tf.Tensor]:
    """Return the four elements of each 2x2 window, row by row.

    Args:
        h: (num_examples, height, width, channels).
    """
    num_examples, height, width, channels = h.shape
    windows = tf.reshape(h, (num_examples, height // WINDOW, WINDOW, width // WINDOW, WINDOW, channels))
    return [windows[:, :, row, :, column] for row in range(WINDOW) for column in range(WINDOW)]


def convolve_windows(images: tf.Tensor, kernel: tf.Tensor) -> list[tf.Tensor]:
    """Convolve single-channel images, giving the four elements of each 2x2 window of the result.

    With one input channel a convolution is nine products an element, too few for a matrix product to
    pay: written out, it is compiled into the same pass as the pooling, and its result, the largest array of
    the network, is never stored.

    Args:
        images: (num_examples, height + 2, width + 2) of uint8, padded, 255 being 1.0.
        kernel: (3, 3, 1, channels).
    """
    images = tf.cast(images, tf.float32) * np.float32(1 / 255)
    height, width = (size - 2 for size in images.shape[1:])

    def element(row: int, column: int) -> tf.Tensor:
        return tf.add_n(
            [
                images[:, row + i : row + i + height : WINDOW, column + j : column + j + width : WINDOW, None]
                * kernel[i, j, 0]
                for i in range(3)
                for j in range(3)
            ]
        )

    return [element(row, column) for row in range(WINDOW) for column in range(WINDOW)]


def drop(h: tf.Tensor, bias: tf.Tensor, mask: Mask | None) -> tf.Tensor:
    """Return keep * s * relu(h + bias) for h (num_examples, units) of any precision."""
    output = _scaled(tf.nn.relu(tf.cast(h, tf.float32) + bias), mask)
    if mask is None:
        return output
    words = random_words(mask.keys, tuple(h.shape[1:]))
    return tf.where(kept(words, 0, mask.threshold), output, np.float32(0))


def undrop(output: tf.Tensor, gradient: tf.Tensor, mask: Mask | None) -> tf.Tensor:
    """Pass the gradient of a block's output back, in float32: where the output is above zero, times s."""
    return tf.where(output > 0, _scaled(tf.cast(gradient, tf.float32), mask), np.float32(0))


def _scaled(value: tf.Tensor, mask: Mask | None) -> tf.Tensor:
    return value if mask is None else value * mask.scale
