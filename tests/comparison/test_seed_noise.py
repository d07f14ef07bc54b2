import math
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from dropout_lab.comparison.seed_noise import (
    SeedNoise,
    default_noise,
    measure_noise,
    noise_of_runs,
    run_seconds,
)
from dropout_lab.errors import UsageError
from dropout_lab.records import RunRecord, RunStatus

MakeRun = Callable[..., RunRecord]
MakeCondition = Callable[..., list[RunRecord]]
BASELINE = [0.905, 0.904, 0.909, 0.906]
DROPOUT = [0.912, 0.907, 0.915, 0.909]
HEAVY = [0.880, 0.885, 0.890]


def test_noise_is_that_of_the_pairs_differences(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    noise = measure_noise(runs, "test_accuracy")
    assert noise is not None
    assert noise.sd_difference == pytest.approx(np.std(np.array(DROPOUT) - BASELINE, ddof=1))
    assert noise.sd_degrees == 3
    assert noise.source == "measured with 4 pairs"
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
    # Two of the three pairs are independent.
    assert pooled.sd_degrees == pytest.approx(7 * 2 / 3)


def test_noise_of_one_condition_counts_for_both_sides(make_condition: MakeCondition) -> None:
    noise = measure_noise(make_condition("dropout", DROPOUT), "test_accuracy")
    assert noise is not None
    assert noise.sd_difference == pytest.approx(math.sqrt(2) * np.std(DROPOUT, ddof=1))
    assert noise.sd_degrees == 3
    assert noise.source == "measured with 4 seeds of one condition"


def test_two_pairs_measure_noise_but_leave_it_very_uncertain(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE[:2]) + make_condition("dropout", DROPOUT[:2])
    noise = measure_noise(runs, "test_accuracy")
    assert noise is not None
    assert noise.sd_degrees == 1
    low, high = noise.interval()
    assert high > 30 * noise.sd_difference > low


def test_the_interval_of_the_noise_is_chi_squareds() -> None:
    noise = SeedNoise(sd_difference=0.003, sd_degrees=4, source="")
    quantiles = stats.chi2.ppf([0.975, 0.025], 4)
    assert noise.interval() == pytest.approx(tuple(0.003 * np.sqrt(4 / quantiles)))
    assert noise_of_runs(0.01, "given").interval() == pytest.approx((0.01 * math.sqrt(2),) * 2)


def test_too_few_unfinished_or_equal_runs_measure_nothing(make_condition: MakeCondition) -> None:
    assert measure_noise([], "test_accuracy") is None
    assert measure_noise(make_condition("dropout", DROPOUT[:1]), "test_accuracy") is None
    assert measure_noise(make_condition("dropout", DROPOUT), "test_loss") is None
    running = make_condition("dropout", DROPOUT, status=RunStatus.RUNNING)
    assert measure_noise(running, "test_accuracy") is None
    equal = make_condition("baseline", BASELINE) + make_condition("dropout", BASELINE)
    assert measure_noise(equal, "test_accuracy") is None


def test_only_accuracy_has_a_noise_to_assume() -> None:
    noise = default_noise("test_accuracy")
    assert noise.sd_difference == pytest.approx(math.sqrt(2) * 0.002)
    assert math.isinf(noise.sd_degrees)
    with pytest.raises(UsageError, match="noise of test_loss between seeds is unknown"):
        default_noise("test_loss")


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


def test_the_time_of_a_run_goes_from_its_start_to_its_end(make_run: MakeRun) -> None:
    start = make_run("baseline", 0).start_time
    run = make_run("baseline", 0, epoch_seconds=2.0, end_time=start + timedelta(seconds=47))
    assert run_seconds([run], {"baseline": 10}) == (47.0, run.device_name)
