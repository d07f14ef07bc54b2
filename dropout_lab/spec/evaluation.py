"""What is measured of trained networks besides the usual metrics."""

from typing import Annotated

from pydantic import Field

from dropout_lab.spec.base import Frozen


class EvaluationSpec(Frozen):
    """Evaluation of confidence after training; it changes no weight."""

    mc_samples: Annotated[int, Field(ge=2, le=10_000)] = 50
    """Predictions of each test example with dropout on (Monte Carlo dropout)."""
