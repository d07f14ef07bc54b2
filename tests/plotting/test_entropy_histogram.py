import math

import numpy as np
import pytest

from dropout_lab.plotting.entropy_histogram import (
    NUM_BINS,
    describe,
    draw_entropy_histograms,
    entropy_histograms,
)

HIGHEST = math.log(10)
ENTROPIES = {
    "dropout off": {"test set": np.array([0.0, 0.0, 0.01, 1.0]), "digits": np.array([HIGHEST + 1e-7, 2.0])},
    "Monte Carlo": {"test set": np.array([0.1]), "digits": np.array([1.5, 1.6, 1.7])},
}


def test_shares_add_to_one_and_the_highest_entropy_is_in_the_last_bin():
    data = entropy_histograms(ENTROPIES, 10)
    test, digits = data.panels["dropout off"]
    assert data.highest == pytest.approx(HIGHEST)
    assert test.shares[0] == 3 / 4
    assert test.shares[int(1.0 / HIGHEST * NUM_BINS)] == 1 / 4
    assert digits.shares[-1] == 1 / 2
    assert all(sum(one.shares) == pytest.approx(1) for panel in data.panels.values() for one in panel)
    assert (test.median, digits.median) == pytest.approx((0.005, (HIGHEST + 2) / 2))


def test_each_way_of_prediction_has_a_panel():
    data = entropy_histograms(ENTROPIES, 10)
    figure = draw_entropy_histograms(data)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["dropout off", "Monte Carlo"]
    shown = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert shown == ["test set (median 0.10)", "digits (median 1.60)"]
    assert figure.axes[0].get_xlim() == (0, pytest.approx(HIGHEST))
    assert describe(data).endswith("Median entropy in nats, Monte Carlo: test set 0.10, digits 1.60.")
