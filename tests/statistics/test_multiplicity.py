import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from dropout_lab.statistics.multiplicity import holm


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
