import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from dropout_lab.statistics.multiplicity import holm, holm_levels


def test_holm_multiplies_the_smallest_most_and_never_falls() -> None:
    # 0.01 * 4; 0.02 * 3; max(0.06, 0.03 * 2); max(0.06, 0.04 * 1)
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.02, math.nan, 0.01])[0::2] == pytest.approx([0.02, 0.02])
    assert math.isnan(holm([0.02, math.nan, 0.01])[1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
@settings(max_examples=5)  # statsmodels collects garbage at each call
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_each_level_is_the_one_that_holm_compared_with() -> None:
    # In order: 0.01 <= 0.05 / 4, 0.02 > 0.05 / 3; so all but the first get 0.05 / 3.
    assert holm_levels([0.02, 0.01, 0.04, 0.03], 0.05) == pytest.approx(
        [0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3]
    )
    assert holm_levels([0.001, math.nan, 0.01], 0.05) == pytest.approx([0.05 / 2, 0.05, 0.05])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.3))
def test_a_p_value_is_within_its_level_exactly_if_holm_rejects(p_values: list[float], alpha: float) -> None:
    levels = holm_levels(p_values, alpha)
    for p, level, adjusted in zip(p_values, levels, holm(p_values), strict=True):
        # Products and quotients round differently.
        if abs(adjusted - alpha) > 1e-12:
            assert (p <= level) == (adjusted <= alpha)
