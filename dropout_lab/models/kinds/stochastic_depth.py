"""Stochastic depth: whole residual branches."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer


@keras.saving.register_keras_serializable("dropout_lab")
class StochasticDepth(DropoutLayer):
    """Dropout of all outputs of a residual branch, per example: 0 with probability `rate`.

    What is kept is divided by 1 - rate, and inference needs no change. The paper keeps the outputs f of the
    branch in training and takes (1 - rate) f at test time. A branch here with the outputs (1 - rate) f is the
    paper's in both modes: only the scale of the initial branch differs. The paper drops a branch for the
    whole batch; per example is what later networks do. Equal seeds give the masks of `keras.layers.Dropout`
    with ``noise_shape=(None, 1, ..., 1)``.

    Use it only at the end of a branch that is added to a shortcut, in networks of many such branches.
    Without a shortcut a dropped example would be lost. The paper's rates rise linearly with depth.

    Args:
        rate: Fraction of the examples whose branch is dropped, in [0, 1).
        seed: Seed of the masks. None draws one.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, ...) tensor, the outputs of the branch.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with their mean.

    Raises:
        ValueError: If `rate` is invalid.

    Reference:
        Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016, arXiv 1603.09382, equations 2 to 5.
    """

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        return self.drop_and_scale(inputs, (ops.shape(inputs)[0], *(1 for _ in inputs.shape[1:])))
