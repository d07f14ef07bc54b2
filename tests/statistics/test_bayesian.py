import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.bayesian import paired_posterior, unpaired_posterior

DIFFERENCES = np.array([0.007, 0.003, 0.006, 0.003, 0.009, 0.005, -0.001, 0.009])


def test_the_paired_posterior_is_a_t_distribution() -> None:
    posterior = stats.t(7, DIFFERENCES.mean(), DIFFERENCES.std(ddof=1) / np.sqrt(8))
    found = paired_posterior(DIFFERENCES, 0.003)
    assert found is not None
    assert found.lower == pytest.approx(posterior.cdf(-0.003))
    assert found.higher == pytest.approx(posterior.sf(0.003))
    assert found.equivalent == pytest.approx(posterior.cdf(0.003) - posterior.cdf(-0.003))


def test_without_a_margin_it_is_the_one_sided_p_value() -> None:
    found = paired_posterior(DIFFERENCES, 0.0)
    assert found is not None
    assert found.lower == pytest.approx(stats.ttest_1samp(DIFFERENCES, 0, alternative="greater").pvalue)
    assert found.equivalent == pytest.approx(0, abs=1e-12)


def test_correlated_differences_are_less_certain() -> None:
    scale = DIFFERENCES.std(ddof=1) * np.sqrt(1 / 8 + 0.1 / 0.9)
    found = paired_posterior(DIFFERENCES, 0.003, correlation=0.1)
    assert found is not None
    assert found.higher == pytest.approx(stats.t(7, DIFFERENCES.mean(), scale).sf(0.003))


def test_the_unpaired_posterior_is_that_of_two_independent_means() -> None:
    values, reference = DIFFERENCES, np.array([0.001, 0.004, -0.002])
    rng = np.random.default_rng(0)
    drawn = [
        side.mean() + side.std(ddof=1) / np.sqrt(len(side)) * rng.standard_t(len(side) - 1, 400_000)
        for side in (values, reference)
    ]
    difference = drawn[0] - drawn[1]
    found = unpaired_posterior(values, reference, 0.002)
    assert found is not None
    assert found.lower == pytest.approx(np.mean(difference < -0.002), abs=0.004)
    assert found.higher == pytest.approx(np.mean(difference > 0.002), abs=0.004)
    assert found.lower + found.equivalent + found.higher == pytest.approx(1)


def test_too_few_or_equal_values_have_no_posterior() -> None:
    assert paired_posterior(DIFFERENCES[:1], 0.001) is None
    assert paired_posterior(np.full(4, 0.1), 0.001) is None
    assert paired_posterior(np.zeros(4), 0.001) is None
    assert unpaired_posterior(DIFFERENCES, np.ones(3), 0.001) is None
    assert unpaired_posterior(DIFFERENCES, np.ones(1), 0.001) is None
