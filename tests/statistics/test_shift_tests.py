import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropout_lab.statistics.difference import shift_test
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.shift_tests import ShiftTest, StudentTest

# Few distinct values give ties and zeros.
value_lists = st.lists(st.integers(-4, 4).map(lambda value: value / 1000), min_size=2, max_size=9)
any_test = partial(shift_test, rng=np.random.default_rng(1))


def shift_of(values: list[float], paired: bool, method: Method) -> ShiftTest:
    row = np.array(values)
    reference = np.zeros(len(row)) if paired else np.linspace(-0.002, 0.003, 4)
    return any_test(row + 0.9, reference + 0.9, paired=paired, method=method)


@given(
    values=value_lists,
    paired=st.booleans(),
    method=st.sampled_from(Method),
    alpha=st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.3]),
    tested=st.integers(-6, 6).map(lambda value: value / 2000),
)
def test_bounds_exclude_exactly_what_the_tests_reject(
    values: list[float], paired: bool, method: Method, alpha: float, tested: float
) -> None:
    test = shift_of(values, paired, method)
    slack = 1e-9 if isinstance(test, StudentTest) else 0.0
    if abs(test.p_greater(tested) - alpha) > slack or not slack:
        assert (test.p_greater(tested) <= alpha) == (tested < test.lower(alpha) - 1e-13)
    if abs(test.p_less(tested) - alpha) > slack or not slack:
        assert (test.p_less(tested) <= alpha) == (tested > test.upper(alpha) + 1e-13)


@given(
    values=value_lists,
    paired=st.booleans(),
    method=st.sampled_from(Method),
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
    margin=st.sampled_from([0.0015, 0.004]),
)
def test_equivalence_holds_exactly_if_the_interval_lies_within_the_margin(
    values: list[float], paired: bool, method: Method, alpha: float, margin: float
) -> None:
    test = shift_of(values, paired, method)
    low, high = test.lower(alpha), test.upper(alpha)
    if abs(test.equivalence_p(margin) - alpha) > 1e-9:
        assert (test.equivalence_p(margin) <= alpha) == (-margin < low - 1e-13 and high + 1e-13 < margin)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("method", [Method.SIGN_FLIP, Method.WILCOXON])
def test_too_few_values_for_a_level_leave_an_infinite_interval(method: Method, paired: bool) -> None:
    values, reference = np.array([0.5, 0.6, 0.7]), np.array([0.1, 0.1, 0.2])
    test = any_test(values, reference, paired=paired, method=method)
    # Three pairs have 8 sign patterns, 3 + 3 values 20 labellings.
    assert test.smallest_p == pytest.approx(2 / 8 if paired else 2 / 20)
    assert test.interval(0.95) == (-math.inf, math.inf)
    assert test.p_value() == pytest.approx(test.smallest_p)
    assert all(map(math.isfinite, test.interval(0.999 - test.smallest_p)))


@pytest.mark.parametrize("n", [6, 12, 18])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("method", Method)
def test_intervals_hold_the_truth_at_their_level(method: Method, paired: bool, n: int) -> None:
    rng = np.random.default_rng(n)
    num, held = 400, 0
    for _ in range(num):
        values, reference = rng.normal(0.3, 1, n), rng.normal(0, 1, n)
        low, high = any_test(values, reference, paired=paired, method=method).interval(0.8)
        held += low <= 0.3 <= high
    # Four standard errors below 0.8; the studentized bootstrap may lose two points more with few values.
    assert held / num > 0.8 - 4 * math.sqrt(0.16 / num) - 0.02 * (method is Method.BOOTSTRAP)
