"""The methods that a difference can be tested with."""

from enum import StrEnum


class Method(StrEnum):
    """Test of a difference between two conditions; the p-values and the interval belong to the same test.

    Attributes:
        T: Student's t test of paired differences, or Welch's t test of unpaired values.
        BOOTSTRAP: Studentized bootstrap.
        SIGN_FLIP: Sign-flip test of paired differences, or relabelling (permutation) test of unpaired values.
        WILCOXON: Wilcoxon's signed-rank test of paired differences, or his rank-sum test of unpaired values.
    """

    T = "t"
    BOOTSTRAP = "bootstrap"
    SIGN_FLIP = "sign-flip"
    WILCOXON = "wilcoxon"
