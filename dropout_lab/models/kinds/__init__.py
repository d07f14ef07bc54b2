"""The dropout family as Keras layers, each with a rate that may be variable; one file per kind."""

from dropout_lab.models.kinds.alpha import AlphaDropout
from dropout_lab.models.kinds.base import DropoutLayer, RatedLayer
from dropout_lab.models.kinds.concrete import ConcreteDropout
from dropout_lab.models.kinds.drop_block import DropBlock
from dropout_lab.models.kinds.drop_connect import DropConnect, DropConnectConv2D, DropConnectDense
from dropout_lab.models.kinds.gaussian import GaussianDropout
from dropout_lab.models.kinds.spatial import SpatialDropout
from dropout_lab.models.kinds.standard import StandardDropout
from dropout_lab.models.kinds.stochastic_depth import StochasticDepth

__all__ = [
    "AlphaDropout",
    "ConcreteDropout",
    "DropBlock",
    "DropConnect",
    "DropConnectConv2D",
    "DropConnectDense",
    "DropoutLayer",
    "GaussianDropout",
    "RatedLayer",
    "SpatialDropout",
    "StandardDropout",
    "StochasticDepth",
]
