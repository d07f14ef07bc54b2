import math
from collections.abc import Callable

import numpy as np
import pytest

from dropout_lab.comparison.seed_plan import (
    SeedNoise,
    default_noise,
    measure_noise,
    noise_of_runs,
    plan_seeds,
    run_seconds,
)
from dropout_lab.errors import UsageError
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.statistics.power import power_of_difference, power_of_equivalence

MakeRun = Callable[..., RunRecord]
MakeCondition = Callable[..., list[RunRecord]]
BASELINE = [0.905, 0.904, 0.909, 0.906]
DROPOUT = [0.912, 0.907, 0.915, 0.909]
HEAVY = [0.880, 0.885, 0.890]
NOISE = SeedNoise(sd_difference=0.0029, source="")


def test_noise_is_that_of_the_pairs_differences(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    noise = measure_noise(runs, "test_accuracy")
    assert noise is not None
    assert noise.sd_difference == pytest.approx(np.std(np.array(DROPOUT) - BASELINE, ddof=1))
    assert "4 pairs" in noise.source
    runs += make_condition("heavy", HEAVY)
    pooled = measure_noise(runs, "test_accuracy")
    variances = [
        (3, np.var(np.array(DROPOUT) - BASELINE, ddof=1)),
        (2, np.var(np.array(HEAVY) - BASELINE[:3], ddof=1)),
        (2, np.var(np.array(HEAVY) - DROPOUT[:3], ddof=1)),
    ]
    expected = math.sqrt(sum(weight * variance for weight, variance in variances) / 7)
    assert pooled is not None
    assert pooled.sd_difference == pytest.approx(expected)


def test_noise_of_one_condition_counts_for_both_sides(make_condition: MakeCondition) -> None:
    noise = measure_noise(make_condition("dropout", DROPOUT), "test_accuracy")
    assert noise is not None
    assert noise.sd_difference == pytest.approx(math.sqrt(2) * np.std(DROPOUT, ddof=1))
    assert "4 seeds of one condition" in noise.source


def test_too_few_or_unfinished_runs_measure_nothing(make_condition: MakeCondition) -> None:
    assert measure_noise([], "test_accuracy") is None
    assert measure_noise(make_condition("dropout", DROPOUT[:2]), "test_accuracy") is None
    assert measure_noise(make_condition("dropout", DROPOUT), "test_loss") is None
    running = make_condition("dropout", DROPOUT, status=RunStatus.RUNNING)
    assert measure_noise(running, "test_accuracy") is None


def test_only_accuracy_has_a_noise_to_assume() -> None:
    noise = default_noise("test_accuracy")
    assert noise.sd_difference == pytest.approx(math.sqrt(2) * 0.002)
    assert "assumed" in noise.source
    with pytest.raises(UsageError, match="noise of test_loss between seeds is not known"):
        default_noise("test_loss")
    assert noise_of_runs(0.01, "as given").sd_difference == pytest.approx(math.sqrt(2) * 0.01)


def test_the_seeds_are_the_fewest_that_keep_the_promise() -> None:
    plan = plan_seeds("test_accuracy", NOISE, difference=0.003, num_comparisons=4, power=0.9)
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


def test_by_default_the_difference_follows_the_margin() -> None:
    assert plan_seeds("test_accuracy", NOISE).difference == pytest.approx(0.005)
    assert plan_seeds("test_accuracy", NOISE, margin=0.004).difference == pytest.approx(0.01)
    assert plan_seeds("train_seconds", NOISE, difference=0.004).equivalence_seeds is None
    with pytest.raises(UsageError, match="--difference"):
        plan_seeds("train_seconds", NOISE)


def test_a_difference_beyond_reach_has_no_number() -> None:
    plan = plan_seeds("test_accuracy", NOISE, difference=1e-6)
    assert plan.num_seeds is None
    assert math.isnan(plan.promised_power)


def test_the_time_of_a_run_is_measured_on_the_latest_hardware(make_run: MakeRun) -> None:
    runs = [
        make_run("baseline", 0, epoch_seconds=50.0, device_name="old"),
        make_run("baseline", 1, epoch_seconds=2.0, evaluation_seconds=1.0, device_name="new"),
        make_run("dropout", 2, epoch_seconds=3.0, evaluation_seconds=1.0, device_name="new"),
        make_run("dropout", 3, epoch_seconds=4.0, evaluation_seconds=1.0, device_name="new"),
        make_run("other", 4, epoch_seconds=500.0, device_name="newer"),
    ]
    # 10 epochs of 2 s, of 3 s and of 4 s, and 1 s of evaluation: the median is the second.
    assert run_seconds(runs, {"baseline": 10, "dropout": 10}) == (31.0, "new")
    assert run_seconds(runs, {"something else": 10}) is None
    assert run_seconds([make_run("baseline", 0)], {"baseline": 10}) is None
