"""Check that training drops what the spec asks for, measured in the training step itself.

All tests are exact. An element is dropped with a probability within `RATE_TOLERANCE` of the rate, so the
number of dropped elements is compared with the binomial distribution at the nearest such probability. If
masks of two steps are independent, the number of elements on which they agree is binomial, too. A test fails
at a p-value below `ALPHA`. A run makes at most 3 layers x (2 tails + 1 test of agreement) = 9 tests, so that
a correct run is refused with a probability below 9 x 1e-11 < 1e-10.
"""

from collections.abc import Sequence

from scipy.stats import binom

from dropout_lab.errors import TrainingError
from dropout_lab.records import DropoutCheck
from dropout_lab.training.engines.observation import DropoutObservation

ALPHA = 1e-11

RATE_TOLERANCE = 2**-16
"""Masks are drawn from random numbers of 16 bits (fast engine) or 23 bits (stock engine)."""


def check_dropout(observations: Sequence[DropoutObservation], rates: Sequence[float]) -> list[DropoutCheck]:
    """Return the dropped fraction of each layer that shows one.

    Args:
        observations: Observation of each Dropout layer.
        rates: Rates that the spec asks for, in the same order.

    Raises:
        TrainingError: If a fraction does not agree with its rate, or two steps have the same mask.
    """
    checks = []
    for seen, rate in zip(observations, rates, strict=True):
        if seen.num_examined == 0:
            continue
        fraction = seen.num_dropped / seen.num_examined
        if rate_p_value(seen.num_dropped, seen.num_examined, rate) < ALPHA:
            raise TrainingError(
                f"Layer {seen.layer} drops {fraction:.4%} of {seen.num_examined} elements (rate: {rate:.4%})."
                " This is a bug in dropout_lab."
            )
        if agreement_p_value(seen, rate) < ALPHA:
            raise TrainingError(
                f"Layer {seen.layer} drops the same elements in every step. This is a bug in dropout_lab."
            )
        checks.append(
            DropoutCheck(
                layer=seen.layer, rate=rate, dropped_fraction=fraction, num_examined=seen.num_examined
            )
        )
    return checks


def rate_p_value(num_dropped: int, num_examined: int, rate: float) -> float:
    """Return the probability of so few or so many dropped elements, whichever is smaller, at `rate`."""
    few = binom.cdf(num_dropped, num_examined, max(rate - _tolerance(rate), 0.0))
    many = binom.sf(num_dropped - 1, num_examined, min(rate + _tolerance(rate), 1.0))
    return float(min(few, many))


def agreement_p_value(seen: DropoutObservation, rate: float) -> float:
    """Return the probability that independent masks of the first two steps agree on so many elements."""
    both = seen.examined[0] & seen.examined[1]
    num_equal = int((both & (seen.kept[0] == seen.kept[1])).sum())
    # Agreement is likeliest at the probability furthest from 1/2.
    extreme = min(max(rate, 1 - rate) + _tolerance(rate), 1.0)
    return float(binom.sf(num_equal - 1, int(both.sum()), extreme**2 + (1 - extreme) ** 2))


def _tolerance(rate: float) -> float:
    return RATE_TOLERANCE if rate > 0 else 0.0
