"""Tests of every possible true difference, so that p-values and intervals come from one test.

A shift test answers for each number whether the true difference can be that number. Its p-values and its
interval are two views of these answers: a p-value is at most alpha exactly if the interval at 1 - alpha
excludes the tested difference.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ShiftTest(ABC):
    """One-sided tests of every difference, in both directions.

    Attributes:
        name: The test, such as ``paired t``.
        estimate: Point estimate that belongs to the test.
    """

    name: str
    estimate: float

    @abstractmethod
    def p_greater(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference greater than `difference`."""

    @abstractmethod
    def p_less(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference less than `difference`."""

    @abstractmethod
    def lower(self, alpha: float) -> float:
        """Return the lower one-sided bound at level 1 - alpha; -inf if there are too few values for it."""

    @abstractmethod
    def upper(self, alpha: float) -> float:
        """Return the upper one-sided bound at level 1 - alpha; inf if there are too few values for it."""

    @property
    @abstractmethod
    def smallest_p(self) -> float:
        """The smallest two-sided p-value that so many values allow; 0 if there is no limit."""

    def p_value(self) -> float:
        """Return the two-sided p-value for a difference."""
        return min(1.0, 2 * min(self.p_greater(0.0), self.p_less(0.0)))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the two-sided interval that excludes 0 exactly if `p_value` is at most 1 - confidence."""
        return self.lower((1 - confidence) / 2), self.upper((1 - confidence) / 2)

    def equivalence_p(self, margin: float) -> float:
        """Return the p-value for a true difference within `margin`: the larger one of two one-sided tests.

        Source: Schuirmann 1987, doi:10.1007/BF01068419.
        """
        return max(self.p_greater(-margin), self.p_less(margin))


@dataclass(frozen=True, kw_only=True)
class StudentTest(ShiftTest):
    """A t test.

    Attributes:
        standard_error: Standard error of the estimate, above 0.
        degrees: Degrees of freedom.
    """

    standard_error: float
    degrees: float

    def p_greater(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference greater than `difference`."""
        return float(special.stdtr(self.degrees, (difference - self.estimate) / self.standard_error))

    def p_less(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference less than `difference`."""
        return float(special.stdtr(self.degrees, (self.estimate - difference) / self.standard_error))

    def lower(self, alpha: float) -> float:
        """Return the lower one-sided bound at level 1 - alpha."""
        return float(self.estimate + special.stdtrit(self.degrees, alpha) * self.standard_error)

    def upper(self, alpha: float) -> float:
        """Return the upper one-sided bound at level 1 - alpha."""
        return float(self.estimate - special.stdtrit(self.degrees, alpha) * self.standard_error)

    @property
    def smallest_p(self) -> float:
        """0: no limit."""
        return 0.0


@dataclass(frozen=True, kw_only=True)
class CountingTest(ShiftTest):
    """A test whose p-values depend only on how many of certain values lie on one side of the difference.

    These are the means of all subsets for the sign-flip test, the Walsh averages for the signed-rank test,
    and so on ("typical values": Hartigan 1969, doi:10.1080/01621459.1969.10501057).

    Attributes:
        low_values: Values in ascending order, counted at or below the tested difference by `p_greater`.
        high_values: Values in ascending order, counted at or above it by `p_less`.
        p_by_count: (len(values) + 1,), ascending: the one-sided p-value for each count.
        decimals: Digits to which the values are rounded, so that rounding errors do not break ties.
    """

    low_values: Values
    high_values: Values
    p_by_count: Values
    decimals: int

    def p_greater(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference greater than `difference`."""
        count = np.searchsorted(self.low_values, round(difference, self.decimals), side="right")
        return float(self.p_by_count[count])

    def p_less(self, difference: float) -> float:
        """Return the one-sided p-value for a true difference less than `difference`."""
        below = np.searchsorted(self.high_values, round(difference, self.decimals), side="left")
        return float(self.p_by_count[len(self.high_values) - below])

    def lower(self, alpha: float) -> float:
        """Return the lower one-sided bound at level 1 - alpha; -inf if there are too few values for it."""
        num_rejected = int(np.searchsorted(self.p_by_count, alpha, side="right"))
        return float(self.low_values[num_rejected - 1]) if num_rejected else -math.inf

    def upper(self, alpha: float) -> float:
        """Return the upper one-sided bound at level 1 - alpha; inf if there are too few values for it."""
        num_rejected = int(np.searchsorted(self.p_by_count, alpha, side="right"))
        return float(self.high_values[-num_rejected]) if num_rejected else math.inf

    @property
    def smallest_p(self) -> float:
        """The smallest two-sided p-value that so many values allow."""
        return min(1.0, 2 * float(self.p_by_count[0]))
