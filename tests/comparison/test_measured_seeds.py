import math
from collections.abc import Callable

import numpy as np
import pytest

from dropout_lab.comparison.measured_seeds import measured_differences, rounded_seeds, seeds_as_measured
from dropout_lab.comparison.seed_plan import seed_goal
from dropout_lab.records import RunRecord
from dropout_lab.statistics.power import seeds_to_decide

MakeCondition = Callable[..., list[RunRecord]]
GOAL = seed_goal("test_accuracy")
BASELINE = [0.905, 0.904, 0.909]
DROPOUT = [0.912, 0.907, 0.915]


def test_each_condition_is_paired_with_the_reference(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    runs += make_condition("heavy", DROPOUT[:1])
    (found,) = measured_differences(runs, GOAL)
    differences = np.array(DROPOUT) - BASELINE
    assert (found.condition, found.n) == ("dropout", 3)
    assert found.difference == pytest.approx(differences.mean())
    assert found.seeds_needed == seeds_as_measured(
        float(differences.mean()), float(differences.std(ddof=1)), 3,
        margin=GOAL.margin, confidence=0.95, num_comparisons=1,
    )  # fmt: skip


def test_nothing_is_measured_without_two_pairs(make_condition: MakeCondition) -> None:
    assert measured_differences([], GOAL) == ()
    assert measured_differences(make_condition("dropout", DROPOUT), GOAL) == ()
    runs = make_condition("baseline", BASELINE[:1]) + make_condition("dropout", DROPOUT[:1])
    assert measured_differences(runs, GOAL) == ()


def test_the_noise_is_as_uncertain_as_its_seeds_leave_it() -> None:
    options = {"margin": None, "confidence": 0.95, "num_comparisons": 1}
    found = seeds_as_measured(0.002, 0.003, 3, **options)
    assert found == seeds_to_decide(0.002, 0.003, margin=None, sd_degrees=2)
    unpaired = seeds_as_measured(0.002, 0.003, 3, paired=False, **options)
    assert unpaired == seeds_to_decide(0.002, 0.003, margin=None, sd_degrees=4, paired=False)
    assert (
        seeds_as_measured(0.1, 0.001, 50, **options)
        == seeds_to_decide(0.1, 0.001, margin=None, sd_degrees=49)
        < 5
    )
    assert seeds_as_measured(0.0, 0.003, 3, **options) is None
    assert seeds_as_measured(0.1, math.nan, 3, **options) is None
    assert seeds_as_measured(0.1, 0.001, 1, **options) is None
    # Six signs alike have a p-value of 2 / 2**6 < 0.05.
    assert seeds_as_measured(0.1, 0.0, 3, **options) == 6


def test_numbers_of_seeds_are_shown_with_two_digits() -> None:
    assert [rounded_seeds(number) for number in (7, 42, 243, 1073)] == [7, 42, 240, 1100]
