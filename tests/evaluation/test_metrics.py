import math

import pytest

from dropout_lab.evaluation.metrics import (
    format_difference,
    format_interval,
    format_mean_sd,
    format_p,
    format_value,
    metric_info,
)


@pytest.mark.parametrize(
    ("metric", "higher_is_better", "margin", "percent"),
    [
        ("test_accuracy", True, 0.002, True),
        ("val_accuracy", True, 0.002, True),
        ("test_accuracy_class_3", True, 0.01, True),
        ("generalization_gap", False, 0.002, True),
        ("test_loss", False, 0.01, False),
        ("loss", False, 0.01, False),
        ("loss_gap", False, 0.01, False),
        ("test_brier", False, 0.005, False),
        ("test_ece", False, 0.005, False),
        ("train_seconds", False, None, False),
        ("sharpness", None, None, False),
    ],
)
def test_each_metric_says_which_way_is_good_and_what_is_too_small_to_matter(
    metric: str, higher_is_better: bool | None, margin: float | None, percent: bool
) -> None:
    info = metric_info(metric)
    assert (info.higher_is_better, info.margin, info.percent) == (higher_is_better, margin, percent)


def test_figures_are_percent_on_screens_and_plain_where_they_are_no_fractions() -> None:
    assert format_value("test_accuracy", 0.90637) == "90.64 %"
    assert format_value("test_loss", 0.25124) == "0.2512"
    assert format_mean_sd("test_accuracy", 0.9, 0.002) == "90.00 ± 0.20 %"
    assert format_mean_sd("test_loss", 0.25, math.nan) == "0.2500"
    assert format_difference("test_accuracy", 0.0085) == "+0.85 points"
    assert format_difference("test_loss", -0.0123) == "-0.0123"
    assert format_difference("test_accuracy", -0.00001) == "+0.00 points"
    assert format_interval("test_accuracy", -0.001, 0.002) == "-0.10 to +0.20"
    assert format_value("test_loss", math.nan) == format_interval("test_loss", math.nan, 1.0) == "-"
    assert format_p(0.00001) == "p < 0.0001"
    assert format_p(0.0312) == "p = 0.031"
