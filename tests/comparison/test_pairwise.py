"""All pairs of conditions, as the library ranks and tests them."""

import numpy as np
import pytest
from scipy import stats

from dropout_lab.comparison.pairwise import compare_all_pairs
from dropout_lab.errors import UsageError

RNG = np.random.default_rng(2)
VALUES = {
    name: dict(enumerate(0.5 + effect + RNG.normal(0, 0.001, 8)))
    for name, effect in {"low": 0.0, "middle": 0.01, "high": 0.02, "twin": 0.02}.items()
}


def test_pairs_are_corrected_together_and_conditions_ranked() -> None:
    found = compare_all_pairs("test_accuracy", VALUES)
    assert len(found.pairs) == 6
    assert found.num_seeds == 8
    assert set(found.conditions[:2]) == {"high", "twin"}
    assert found.conditions[2:] == ("middle", "low")
    assert found.mean_ranks["low"] == 4
    by_names = {(pair.first, pair.second): pair for pair in found.pairs}
    assert not by_names["high", "twin"].is_significant
    assert by_names["low", "middle"].is_significant
    low, middle = (np.array(list(VALUES[name].values())) for name in ("low", "middle"))
    assert by_names["low", "middle"].mean_difference == pytest.approx(np.mean(low - middle))
    half = stats.t.ppf(1 - 0.05 / 6 / 2, 7) * np.std(low - middle, ddof=1) / np.sqrt(8)
    assert by_names["low", "middle"].ci_high == pytest.approx(np.mean(low - middle) + half)
    rows = [list(by_seed.values()) for by_seed in VALUES.values()]
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*rows).pvalue)


def test_the_lowest_loss_is_the_best() -> None:
    assert compare_all_pairs("test_loss", VALUES).conditions[0] == "low"


def test_too_little_in_common_is_named() -> None:
    with pytest.raises(UsageError, match="found 1 and 8"):
        compare_all_pairs("test_loss", {"low": VALUES["low"]})
    with pytest.raises(UsageError, match="found 2 and 1"):
        compare_all_pairs("test_loss", {"low": VALUES["low"], "one": {0: 0.5}})
