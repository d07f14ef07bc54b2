"""The tests that a difference can be judged by."""

from enum import StrEnum


class Method(StrEnum):
    """How a difference is tested; all but BOOTSTRAP give the t interval."""

    T = "t"
    BOOTSTRAP = "bootstrap"
    SIGN_FLIP = "sign-flip"
    WILCOXON = "wilcoxon"
