import math

import pytest

from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_interval,
    format_mean_sd,
    format_p,
    format_p_cell,
    format_percent,
    format_value,
    is_detail,
    metric_info,
)


@pytest.mark.parametrize(
    ("metric", "higher_is_better", "margin", "percent"),
    [
        ("test_accuracy", True, 0.002, True),
        ("val_accuracy", True, 0.002, True),
        ("test_accuracy_class_3", True, 0.01, True),
        ("generalization_gap", None, 0.002, True),
        ("test_loss", False, 0.01, False),
        ("loss", False, 0.01, False),
        ("loss_gap", None, 0.01, False),
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
    assert format_value("test_accuracy", 0.90637) == "90.64%"
    assert format_value("test_loss", 0.25124) == "0.2512"
    assert format_mean_sd("test_accuracy", 0.9, 0.002) == "90.00 ± 0.20%"
    assert format_mean_sd("test_loss", 0.25, math.nan) == "0.2500"
    assert format_value("train_seconds", 1.9057) == "1.91 s"
    assert format_value("generalization_gap", 0.027) == "2.70 points"
    assert format_mean_sd("generalization_gap", 0.005, 0.031) == "0.50 ± 3.10 points"
    assert format_difference("generalization_gap", -0.027) == "-2.70 points"
    assert format_difference("test_accuracy", 0.0085) == "+0.85 points"
    assert format_difference("test_loss", -0.0123) == "-0.0123"
    assert format_difference("test_accuracy", -0.00001) == "+0.00 points"
    assert format_interval("test_accuracy", -0.001, 0.002) == "[-0.10, +0.20]"
    assert format_value("test_loss", math.nan) == format_interval("test_loss", math.nan, 1.0) == "-"
    assert format_p(0.00001) == "p < 0.0001"


@pytest.mark.parametrize(
    ("p_value", "shown"),
    [(0.03, "= 0.030"), (0.0312, "= 0.031"), (0.3, "= 0.30"), (1.0, "= 1.0"), (0.0086, "= 0.0086"),
     (0.00012, "= 0.00012"), (0.0000999, "< 0.0001")],
)  # fmt: skip
def test_a_p_value_keeps_two_digits(p_value: float, shown: str) -> None:
    assert format_p(p_value) == f"p {shown}"
    assert format_p_cell(p_value) == shown.removeprefix("= ")
    assert (format_p(math.nan), format_p_cell(math.nan)) == ("no p-value", "-")


def test_levels_and_counts_are_written_in_full() -> None:
    assert [format_percent(level) for level in (0.95, 0.995, 0.9999, 0.9)] == [
        "95%",
        "99.5%",
        "99.99%",
        "90%",
    ]
    assert format_percent(0.08734, 2) == "8.7%"
    assert [format_count(n, "pair") for n in (0, 1, 1100)] == ["0 pairs", "1 pair", "1,100 pairs"]


def test_metrics_of_single_shifts_and_sets_are_details_where_their_mean_is_known():
    shifts = ["shift_accuracy", "shift_accuracy_noise", "shift_accuracy_noise_3", "shift_loss_blur_1"]
    outside = ["ood_auroc", "ood_auroc_inverted_test", "mc_ood_auroc_digits", "ood_entropy_auroc"]
    names = ["test_accuracy", "test_accuracy_class_3", *shifts, *outside]
    details = {name for name in names if is_detail(name, names)}
    assert details == {"shift_accuracy_noise", "shift_accuracy_noise_3", "ood_auroc_inverted_test"}
    alone = ["shift_accuracy_noise", "shift_accuracy_noise_3"]
    assert [is_detail(name, alone) for name in alone] == [False, True]
