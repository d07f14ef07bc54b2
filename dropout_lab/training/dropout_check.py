"""Check that training drops what the spec asks for, measured in the training step itself.

All tests are exact. An element is dropped with a probability within the resolution of the random numbers of
the rate, so the number of dropped elements is compared with the binomial distribution at the nearest such
probability. If masks of two steps are independent, the number of elements on which they agree is binomial,
too. A layer has 2 tails + 1 test of agreement; the level of each test is chosen so that a correct run is
refused with a probability below `FALSE_ALARMS`, however many layers it has.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from dropout_lab.errors import TrainingError
from dropout_lab.records import DropoutCheck
from dropout_lab.training.engines.observation import DropoutObservation

Rate = float | Sequence[float] | npt.NDArray[np.float64]
"""Rate of a layer, or its rate in each of the observed steps."""

FALSE_ALARMS = 1e-10
"""Bound of the probability that a run is refused that drops as it should."""

TESTS_PER_LAYER = 3


def check_dropout(
    observations: Sequence[DropoutObservation],
    rates: Mapping[str, Rate],
    *,
    num_observed: int | None = None,
) -> list[DropoutCheck]:
    """Return the dropped fraction of each layer that shows one.

    Args:
        observations: Observation of each layer that was seen.
        rates: Rates that the spec asks for, by layer.
        num_observed: Number of observations that are checked for the run. [default: these]

    Raises:
        TrainingError: If a fraction does not agree with its rate, two steps have the same mask, or a part of
            a channel is dropped by a layer that drops whole ones.
    """
    alpha = FALSE_ALARMS / (TESTS_PER_LAYER * max(num_observed or len(observations), 1))
    checks = []
    for seen in observations:
        if seen.num_examined == 0:
            continue
        rate = rates[seen.layer]
        mean = float(np.mean(rate))
        fraction = seen.num_dropped / seen.num_examined
        if rate_p_value(seen, rate) < alpha:
            raise TrainingError(
                f"Layer {seen.layer} drops {fraction:.4%} of {seen.num_examined} elements (rate: {mean:.4%})."
                " This is a bug in dropout_lab."
            )
        if agreement_p_value(seen, rate) < alpha:
            raise TrainingError(
                f"Layer {seen.layer} drops the same elements in every step. This is a bug in dropout_lab."
            )
        if seen.num_split:
            raise TrainingError(
                f"Layer {seen.layer} drops parts of {seen.num_split} channels (expected: whole channels)."
                " This is a bug in dropout_lab."
            )
        checks.append(
            DropoutCheck(
                layer=seen.layer, rate=mean, dropped_fraction=fraction, num_examined=seen.num_examined
            )
        )
    return checks


def rate_p_value(seen: DropoutObservation, rate: Rate) -> float:
    """Return the probability of so few or so many dropped elements, whichever is smaller, at `rate`.

    Of rates that differ between the steps, the lowest and the highest bound it.
    """
    ends = [end for one in np.ravel(rate) for end in _around(seen, one)]
    few = binom.cdf(seen.num_dropped, seen.num_examined, min(ends))
    many = binom.sf(seen.num_dropped - 1, seen.num_examined, max(ends))
    return float(min(few, many))


def agreement_p_value(seen: DropoutObservation, rate: Rate) -> float:
    """Return the probability that independent masks of the first two steps agree on so many elements."""
    both = seen.examined[0] & seen.examined[1]
    num_equal = int(np.count_nonzero(both & (seen.kept[0] == seen.kept[1])))
    first, second = np.broadcast_to(rate, 2)
    # Agreement is likeliest at an end of what the probability of each step can be.
    agreement = max(a * b + (1 - a) * (1 - b) for a in _around(seen, first) for b in _around(seen, second))
    return float(binom.sf(num_equal - 1, int(np.count_nonzero(both)), agreement))


def _around(seen: DropoutObservation, rate: float) -> tuple[float, float]:
    """Return the lowest and the highest probability to drop that random numbers can give a rate."""
    tolerance = seen.resolution if rate > 0 else 0.0
    return max(float(rate) - tolerance, 0.0), min(float(rate) + tolerance, 1.0)
