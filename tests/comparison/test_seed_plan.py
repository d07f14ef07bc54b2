import math

import pytest

from dropout_lab.comparison.seed_noise import SeedNoise
from dropout_lab.comparison.seed_plan import DIFFERENCES_SHOWN, outcomes, plan_seeds, seed_goal
from dropout_lab.errors import UsageError
from dropout_lab.statistics.power import power_of_difference, power_of_equivalence
from dropout_lab.statistics.sequential import SequentialDesign

NOISE = SeedNoise(sd_difference=0.0029, sd_degrees=math.inf, source="")


def test_the_seeds_are_the_fewest_that_keep_the_promise() -> None:
    goal = seed_goal("test_accuracy", difference=0.003, num_comparisons=4, power=0.9)
    plan = plan_seeds(goal, NOISE)
    assert plan.num_seeds is not None
    power = power_of_difference(0.003, 0.0029, plan.num_seeds, num_comparisons=4)
    assert plan.promised_power == pytest.approx(power)
    assert power >= 0.9
    assert power_of_difference(0.003, 0.0029, plan.num_seeds - 1, num_comparisons=4) < 0.9
    assert plan.equivalence_seeds is not None
    shown = [
        power_of_equivalence(0.0, 0.0029, n, margin=0.002, num_comparisons=4)
        for n in (plan.equivalence_seeds - 1, plan.equivalence_seeds)
    ]
    assert shown[0] < 0.9 <= shown[1]


@pytest.mark.slow
def test_uncertain_noise_takes_more_seeds() -> None:
    goal = seed_goal("test_accuracy", difference=0.003)
    numbers = [
        plan_seeds(goal, SeedNoise(sd_difference=0.0029, sd_degrees=degrees, source="")).num_seeds
        for degrees in (1, 2, 9, math.inf)
    ]
    assert all(number is not None for number in numbers)
    assert numbers == sorted(numbers, reverse=True)  # type: ignore[type-var]
    assert numbers[0] > 3 * numbers[-1]  # type: ignore[operator]


def test_both_designs_reach_the_goal_and_the_sequential_one_saves_seeds() -> None:
    plan = plan_seeds(seed_goal("test_accuracy", difference=0.003), NOISE)
    fixed, sequential = plan.designs
    assert (fixed.name, fixed.first, fixed.most) == ("fixed", plan.num_seeds, plan.num_seeds)
    assert (sequential.name, sequential.first) == ("sequential", 5)
    assert sequential.most > fixed.most
    assert fixed.power == pytest.approx(plan.promised_power, abs=0.015)
    assert sequential.power >= 0.8
    at_goal = sequential.outcomes[DIFFERENCES_SHOWN.index(1.0)]
    assert at_goal.difference == 0.003
    assert at_goal.found == sequential.power
    assert at_goal.expected_seeds < fixed.most
    nothing = sequential.outcomes[0]
    assert nothing.found <= 0.055
    assert 0 < nothing.equivalent < 1


def test_the_design_that_the_spec_states_is_assessed() -> None:
    goal = seed_goal("test_accuracy", difference=0.003)
    stated = SequentialDesign(first=4, most=30, step=2)
    designs = plan_seeds(goal, NOISE, stated).designs
    assert [one.name for one in designs] == ["fixed", "sequential"]
    assert (designs[1].first, designs[1].most, designs[1].step) == (4, 30, 2)
    few = plan_seeds(goal, NOISE, SequentialDesign(first=4, most=4)).designs
    assert [one.name for one in few] == ["fixed", "sequential", "spec"]
    assert few[2].power == pytest.approx(power_of_difference(0.003, 0.0029, 4), abs=0.015)
    fixed = plan_seeds(goal, NOISE, SequentialDesign(first=few[0].most, most=few[0].most)).designs
    assert [one.name for one in fixed] == ["fixed", "sequential"]


def test_many_seeds_have_few_looks() -> None:
    plan = plan_seeds(seed_goal("test_accuracy", difference=0.0005, margin=0.0002), NOISE)
    sequential = plan.designs[1]
    assert plan.num_seeds is not None
    assert plan.num_seeds > 200
    assert (sequential.most - sequential.first) / sequential.step <= 25


def test_outcomes_without_a_difference_count_both_false_directions() -> None:
    goal = seed_goal("train_seconds", difference=1.0)
    (found,) = outcomes(SequentialDesign(first=6, most=6), [0.0], goal, NOISE)
    assert found.found == pytest.approx(0.05, abs=0.01)
    assert found.equivalent == 0


def test_by_default_the_difference_follows_the_margin() -> None:
    assert seed_goal("test_accuracy").difference == pytest.approx(0.005)
    assert seed_goal("test_accuracy", margin=0.004).difference == pytest.approx(0.01)
    assert plan_seeds(seed_goal("train_seconds", difference=0.004), NOISE).equivalence_seeds is None
    with pytest.raises(UsageError, match="no equivalence margin"):
        seed_goal("train_seconds")


def test_a_difference_beyond_reach_has_no_number() -> None:
    plan = plan_seeds(seed_goal("test_accuracy", difference=1e-6), NOISE)
    assert plan.num_seeds is None
    assert math.isnan(plan.promised_power)
    assert plan.designs == ()


def test_a_difference_within_the_margin_is_no_goal_of_a_sequential_design() -> None:
    plan = plan_seeds(seed_goal("test_accuracy", difference=0.001), NOISE)
    (fixed,) = plan.designs
    assert fixed.power < plan.promised_power  # it is called equivalent first
