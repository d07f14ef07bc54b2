import math

import pytest
from scipy import stats

from dropout_lab.statistics.claims import check_claim
from dropout_lab.statistics.shift_tests import StudentTest

TEST = StudentTest(name="paired t", estimate=0.004, standard_error=0.001, degrees=9)


def tail(statistic: float) -> float:
    return float(stats.t.sf(statistic, 9))


def test_a_one_sided_claim_is_tested_against_its_margin() -> None:
    higher = check_claim(TEST, "higher", 0.002)
    assert higher.supported_p == pytest.approx(tail((0.004 - 0.002) / 0.001))
    assert higher.refuted_p == pytest.approx(1 - higher.supported_p)
    lower = check_claim(TEST, "lower", 0.0)
    assert lower.refuted_p == pytest.approx(tail(0.004 / 0.001))
    assert lower.supported_p == pytest.approx(1 - lower.refuted_p)


def test_equivalence_takes_both_sides_and_its_refutation_is_corrected_for_them() -> None:
    found = check_claim(TEST, "equivalent", 0.005)
    assert found.supported_p == pytest.approx(tail((0.005 - 0.004) / 0.001))
    assert check_claim(TEST, "equivalent", 0.001).refuted_p == pytest.approx(2 * tail(3))


def test_too_few_values_leave_no_p_value() -> None:
    found = check_claim(None, "higher", 0.0)
    assert math.isnan(found.supported_p)
    assert math.isnan(found.refuted_p)
