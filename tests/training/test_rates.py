import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropout_lab.spec.schedules import FIELDS, SHAPES, Schedule
from dropout_lab.training.rates import SiteRates, rates_at, steps_per_epoch

STEPS_PER_EPOCH, NUM_EPOCHS = 7, 6
WHOLE = STEPS_PER_EPOCH * NUM_EPOCHS

FIELD_VALUES = {
    "until": st.none() | st.integers(1, 60),
    "start": st.floats(0, 1),
    "end": st.floats(0, 1),
    "gamma": st.none() | st.floats(0.001, 10),
    "unit": st.sampled_from(["epochs", "steps"]),
}
SCHEDULES = st.sampled_from(SHAPES).flatmap(
    lambda shape: st.builds(
        Schedule, shape=st.just(shape), **{field: FIELD_VALUES[field] for field in FIELDS[shape]}
    )
)
RATES = st.floats(0, 1, exclude_max=True)


def rates(schedule: Schedule, rate: float = 0.5, steps: range = range(WHOLE)) -> list[float]:
    found = rates_at(schedule, rate, steps, steps_per_epoch=STEPS_PER_EPOCH, num_epochs=NUM_EPOCHS)
    return [float(one) for one in found]


@given(SCHEDULES, RATES)
def test_rates_stay_within_0_and_the_rate_and_never_turn_back(schedule: Schedule, rate: float) -> None:
    found = np.array(rates(schedule, rate, range(2 * WHOLE)))
    assert found.min() >= 0
    assert found.max() <= rate
    changes = np.diff(found)
    assert (changes >= -1e-12).all() or (changes <= 1e-12).all()


@given(SCHEDULES, RATES, st.integers(0, WHOLE - 1), st.integers(1, 10))
def test_a_part_of_the_training_has_the_rates_of_the_whole(
    schedule: Schedule, rate: float, first: int, count: int
) -> None:
    """So a call of the engine, and a run that is resumed, need the number of the step alone."""
    site_rates = SiteRates(
        full={"a": rate}, schedules={"a": schedule}, steps_per_epoch=STEPS_PER_EPOCH, num_epochs=NUM_EPOCHS
    )
    assert list(site_rates.at(first, count)["a"]) == rates(schedule, rate, range(2 * WHOLE))[first:][:count]


@given(RATES)
def test_without_a_schedule_the_rate_is_kept_bit_for_bit(rate: float) -> None:
    assert set(rates(Schedule(), rate)) == {rate}
    assert set(SiteRates(full={"a": rate}).at(5, 3)["a"]) == {rate}


def test_early_and_late_change_once_at_the_cutoff() -> None:
    early, late = ({"shape": shape, "until": 2} for shape in ("early", "late"))
    assert rates(Schedule(**early)) == [0.5] * 14 + [0.0] * 28
    assert rates(Schedule(**late)) == [0.0] * 14 + [0.5] * 28
    assert rates(Schedule(shape="early", until=2, unit="steps")) == [0.5] * 2 + [0.0] * 40


def test_decreasing_early_dropout_is_that_of_the_code_of_its_authors() -> None:
    """They concatenate ``linspace(rate, 0, cutoff steps)`` and zeros."""
    found = rates(Schedule(shape="linear", start=1, end=0, until=2))
    assert found == pytest.approx([*np.linspace(0.5, 0, 14), *np.zeros(28)], abs=1e-15)


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_ramps_go_from_start_to_end_and_meet_halfway(shape: str) -> None:
    found = rates(Schedule(shape=shape, start=0.2, end=0.6, until=15, unit="steps"))
    assert found[0] == pytest.approx(0.1)
    assert found[7] == pytest.approx(0.2)
    assert found[14:] == [0.3] * (WHOLE - 14)
    whole = rates(Schedule(shape=shape))
    assert (whole[0], whole[-1]) == (0.0, 0.5)


def test_a_cosine_starts_and_ends_more_slowly_than_a_line() -> None:
    line, cosine = (np.array(rates(Schedule(shape=shape))) for shape in ("linear", "cosine"))
    assert (cosine[1:20] < line[1:20]).all()
    assert (cosine[22:-1] > line[22:-1]).all()


@given(RATES, st.floats(0.001, 10))
def test_curriculum_keeps_the_fraction_of_its_paper(rate: float, gamma: float) -> None:
    k, t = 1 - rate, np.arange(WHOLE)
    by_step = rates(Schedule(shape="curriculum", gamma=gamma, unit="steps"), rate)
    assert 1 - np.array(by_step) == pytest.approx((1 - k) * np.exp(-gamma * t) + k)
    by_epoch = rates(Schedule(shape="curriculum", gamma=gamma), rate)
    assert 1 - np.array(by_epoch) == pytest.approx((1 - k) * np.exp(-gamma * t / STEPS_PER_EPOCH) + k)
    default = rates(Schedule(shape="curriculum"), rate)
    assert 1 - np.array(default) == pytest.approx((1 - k) * np.exp(-10 / WHOLE * t) + k)


@given(SCHEDULES)
def test_the_telling_step_is_the_first_with_the_highest_rate(schedule: Schedule) -> None:
    site_rates = SiteRates(
        full={"a": 0.5}, schedules={"a": schedule}, steps_per_epoch=STEPS_PER_EPOCH, num_epochs=NUM_EPOCHS
    )
    found = rates(schedule)
    step = site_rates.telling_step("a")
    assert step in range(WHOLE)
    assert found[step] == pytest.approx(max(found), abs=1e-12)
    assert step == 0 or found[step] > min(found)


def test_only_rates_above_zero_change() -> None:
    schedules = dict.fromkeys(("a", "b"), Schedule(shape="cosine")) | {"c": Schedule()}
    assert SiteRates(full={"a": 0.5, "b": 0.0, "c": 0.5, "d": 0.5}, schedules=schedules).changing == ("a",)


@pytest.mark.parametrize(
    ("num_examples", "batch_size", "expected"), [(60_000, 200, 300), (250, 100, 3), (5, 9, 1)]
)
def test_steps_per_epoch(num_examples: int, batch_size: int, expected: int) -> None:
    assert steps_per_epoch(num_examples, batch_size) == expected
