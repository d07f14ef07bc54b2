"""The dropout family as Keras layers, each with a rate that may be variable; one file per kind."""

from dropout_lab.models.kinds.alpha import AlphaDropout
from dropout_lab.models.kinds.base import DropoutLayer, RatedLayer
from dropout_lab.models.kinds.gaussian import GaussianDropout
from dropout_lab.models.kinds.spatial import SpatialDropout
from dropout_lab.models.kinds.standard import StandardDropout

__all__ = [
    "AlphaDropout",
    "DropoutLayer",
    "GaussianDropout",
    "RatedLayer",
    "SpatialDropout",
    "StandardDropout",
]
