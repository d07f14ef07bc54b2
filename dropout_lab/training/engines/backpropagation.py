"""Loss and gradients of the published network, with a backward pass written out over the blocks."""

import functools
from collections.abc import Sequence

import tensorflow as tf

from dropout_lab.training.engines import blocks
from dropout_lab.training.engines.masks import LayerDropout, Mask, mask_of

STRIDES = [1, 1, 1, 1]

_compiled = functools.partial(tf.function, jit_compile=True, autograph=False)


class Backpropagation:
    """Loss and gradients of the published network, from its weights and images.

    Args:
        drop_first: Whether dropout precedes pooling.
        factor_dtype: Type that the inputs, the kernels and the outputs of convolutions and of the first dense
            layer are rounded to, and their gradients. Sums, biases and everything else are float32.
    """

    def __init__(self, *, drop_first: bool, factor_dtype: str) -> None:
        pool = functools.partial(blocks.pool, drop_first=drop_first)

        @_compiled
        def first(images: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, mask: Mask | None) -> tf.Tensor:
            return pool(blocks.convolve_windows(images, kernel), bias, mask)

        @_compiled
        def second(h: tf.Tensor, bias: tf.Tensor, mask: Mask | None) -> tf.Tensor:
            return pool(blocks.split_windows(h), bias, mask)

        self._first, self._second, self._third = first, second, _compiled(blocks.drop)
        # Apart, because XLA compiles the two as one into something three times slower (TensorFlow 2.21).
        self._unpool, self._bias_gradient = _compiled(blocks.unpool), _compiled(blocks.bias_gradient)
        self._factor_dtype = factor_dtype

    def gradients(
        self,
        weights: list[tf.Tensor],
        images: tf.Tensor,
        labels: tf.Tensor,
        counts: tf.Tensor,
        batch_size: tf.Tensor,
        step: tf.Tensor,
        first_example: int,
        dropout: Sequence[LayerDropout | None],
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Go forward and backward through the network with one shard of a batch.

        Args:
            weights: Kernel and bias of each layer, from the input on.
            images: (shard_size, 30, 30) of uint8, padded.
            labels: (shard_size,) of int32.
            counts: (shard_size,), 1.0 for an example, 0.0 for a filler.
            batch_size: Scalar: examples in the whole batch, whose mean the loss is.
            step: Scalar: number of the training step.
            first_example: Position in the batch of the first image.
            dropout: Dropout of each block.

        Returns:
            A list of [sum of losses, number of correct examples] and the gradient by each of `weights`; and
            the output of each block with dropout.
        """
        kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = weights
        shard_size = images.shape[0]
        as_factor = functools.partial(tf.cast, dtype=self._factor_dtype)
        mask1, mask2, mask3 = (mask_of(one, step, first_example, shard_size) for one in dropout)

        pooled1 = self._first(images, kernel1, bias1, mask1)
        factor1, factor_kernel2 = as_factor(pooled1), as_factor(kernel2)
        h2 = tf.nn.conv2d(factor1, factor_kernel2, 1, "SAME")
        pooled2 = self._second(h2, bias2, mask2)
        flat, factor_kernel3 = tf.reshape(as_factor(pooled2), (shard_size, -1)), as_factor(kernel3)
        hidden = self._third(flat @ factor_kernel3, bias3, mask3)
        logits = hidden @ kernel4 + bias4
        losses, d_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=labels)
        is_correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        sums = tf.stack(
            [tf.reduce_sum(losses * counts), tf.reduce_sum(tf.cast(is_correct, tf.float32) * counts)]
        )

        d_logits *= (counts / batch_size)[:, None]
        d_kernel4 = tf.matmul(hidden, d_logits, transpose_a=True)
        d_bias4 = tf.reduce_sum(d_logits, axis=0)
        d_hidden = tf.matmul(d_logits, kernel4, transpose_b=True)
        d_h3 = blocks.undrop(hidden, d_hidden, mask3)
        d_bias3 = tf.reduce_sum(d_h3, axis=0)
        d_h3 = as_factor(d_h3)
        d_kernel3 = tf.matmul(flat, d_h3, transpose_a=True)
        d_pooled2 = tf.reshape(tf.matmul(d_h3, factor_kernel3, transpose_b=True), pooled2.shape)
        d_bias2 = self._bias_gradient(pooled2, d_pooled2, mask2)
        d_h2 = tf.reshape(self._unpool(pooled2, d_pooled2, mask2), h2.shape)
        d_kernel2 = _kernel_gradient(factor1, kernel2, d_h2, "SAME")
        d_pooled1 = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=pooled1.shape,
            filter=factor_kernel2,
            out_backprop=d_h2,
            strides=STRIDES,
            padding="SAME",
        )
        d_bias1 = self._bias_gradient(pooled1, d_pooled1, mask1)
        d_h1 = tf.reshape(self._unpool(pooled1, d_pooled1, mask1), (shard_size, 28, 28, -1))
        factor0 = as_factor(tf.cast(images, tf.float32)[..., None] / 255)
        d_kernel1 = _kernel_gradient(factor0, kernel1, d_h1, "VALID")
        gradients = [d_kernel1, d_bias1, d_kernel2, d_bias2, d_kernel3, d_bias3, d_kernel4, d_bias4]
        return [sums, *(tf.cast(gradient, tf.float32) for gradient in gradients)], [pooled1, pooled2, hidden]


def _kernel_gradient(images: tf.Tensor, kernel: tf.Tensor, d_h: tf.Tensor, padding: str) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images, filter_sizes=kernel.shape, out_backprop=d_h, strides=STRIDES, padding=padding
    )
