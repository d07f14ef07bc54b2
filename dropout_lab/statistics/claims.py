"""P-values of claims: a difference in a stated direction, or equivalence."""

import math
from dataclasses import dataclass
from typing import Literal

from dropout_lab.statistics.shift_tests import ShiftTest

Expected = Literal["higher", "lower", "equivalent"]


@dataclass(frozen=True, kw_only=True)
class ClaimTest:
    """Evidence for and against a claim, before any correction.

    Attributes:
        supported_p: P-value against the claim's opposite: small if the claim holds.
        refuted_p: P-value against the claim: small if it does not hold.
    """

    supported_p: float
    refuted_p: float


def check_claim(test: ShiftTest | None, expected: Expected, margin: float) -> ClaimTest:
    """Return the p-values of a claim about a difference.

    Correct `supported_p` and `refuted_p` over all claims, each with `holm`.

    Args:
        test: The test of the difference (condition minus reference); None if there are too few values.
        expected: ``higher`` or ``lower`` by more than `margin`, or ``equivalent`` within it.
        margin: At least 0.
    """
    if test is None:
        return ClaimTest(supported_p=math.nan, refuted_p=math.nan)
    if expected == "higher":
        return ClaimTest(supported_p=test.p_greater(margin), refuted_p=test.p_less(margin))
    if expected == "lower":
        return ClaimTest(supported_p=test.p_less(-margin), refuted_p=test.p_greater(-margin))
    outside = min(test.p_greater(margin), test.p_less(-margin))
    return ClaimTest(supported_p=test.equivalence_p(margin), refuted_p=min(1.0, 2 * outside))
