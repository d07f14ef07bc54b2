import numpy as np
import pytest

from dropout_lab.plotting.risk_coverage import COVERAGES, describe, draw_risk_coverage, risk_coverage_curves

RISING = np.arange(1, 201) / 1000  # 200 predictions: 0.001 to 0.2


def test_risks_are_read_at_each_percent_of_coverage():
    (curve,) = risk_coverage_curves({"plain": [RISING, RISING + 0.1]})
    assert COVERAGES[[0, -1]].tolist() == [0.01, 1]
    assert curve.low == pytest.approx(RISING[1::2])
    assert curve.high == pytest.approx(RISING[1::2] + 0.1)
    assert curve.mean == pytest.approx(RISING[1::2] + 0.05)
    assert curve.area == pytest.approx(RISING.mean() + 0.05)


def test_a_coverage_of_less_than_one_example_is_one_example():
    (curve,) = risk_coverage_curves({"plain": [np.array([0.0, 0.5, 2 / 3])], "none": []})
    assert (curve.mean[0], curve.mean[33], curve.mean[34], curve.mean[-1]) == (0, 0.5, 0.5, 2 / 3)
    assert curve.mean[32] == 0


def test_bands_are_drawn_where_there_are_several_runs():
    curves = risk_coverage_curves({"plain": [RISING, RISING / 2], "Monte Carlo": [RISING / 4]})
    (axes,) = draw_risk_coverage(curves).axes
    assert len(axes.get_lines()) == 2
    assert len(axes.collections) == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "plain (area 0.0754)",
        "Monte Carlo (area 0.0251)",
    ]
    assert describe(curves) == "Area under the curve: plain 0.0754, Monte Carlo 0.0251."
