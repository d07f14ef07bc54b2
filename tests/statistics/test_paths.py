import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.paths import simulated_looks


def test_statistics_of_simulated_paths_are_those_of_accumulating_normal_values() -> None:
    looks, num = (3, 4, 9), 40_000
    found = list(simulated_looks(looks, num, np.random.default_rng(0)))
    values = np.random.default_rng(1).normal(size=(num, 9))
    assert [n for n, _, _ in found] == list(looks)
    for n, means, sds in found:
        assert stats.kstest(means / sds * np.sqrt(n), stats.t(n - 1).cdf).pvalue > 1e-4
        assert stats.kstest((n - 1) * sds**2, stats.chi2(n - 1).cdf).pvalue > 1e-4
    for one, other in ((0, 1), (0, 2), (1, 2)):
        first, second = looks[one], looks[other]
        expected_means = np.corrcoef(values[:, :first].mean(1), values[:, :second].mean(1))[0, 1]
        expected_sds = np.corrcoef(values[:, :first].std(1, ddof=1), values[:, :second].std(1, ddof=1))[0, 1]
        assert np.corrcoef(found[one][1], found[other][1])[0, 1] == pytest.approx(expected_means, abs=0.03)
        assert np.corrcoef(found[one][2], found[other][2])[0, 1] == pytest.approx(expected_sds, abs=0.03)
