import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dropout_lab.comparison.selection import (
    OTHER_SPEC,
    format_seeds,
    metric_values,
    paired_seeds,
    select_runs,
)
from dropout_lab.errors import UsageError
from dropout_lab.records import RunRecord, RunStatus

MakeRun = Callable[..., RunRecord]
FIRST_START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", [one for one in RunStatus if one is not RunStatus.FINISHED])
def test_only_finished_runs_count_and_the_others_are_listed(make_run: MakeRun, status: RunStatus) -> None:
    runs = [make_run("baseline", 0), make_run("dropout", 0), make_run("dropout", 1, status=status)]
    selection = select_runs(runs)
    assert [run.run_id for run in selection.all_runs()] == ["baseline-0-0", "dropout-0-0"]
    (exclusion,) = selection.exclusions
    assert (exclusion.run_id, exclusion.condition, exclusion.seed) == ("dropout-1-0", "dropout", 1)
    assert exclusion.reason


def test_of_two_runs_of_a_seed_the_later_finished_one_counts(make_run: MakeRun) -> None:
    runs = [
        make_run("baseline", 0, minute=3, status=RunStatus.FAILED),
        make_run("baseline", 0, minute=2),
        make_run("baseline", 0, minute=1),
    ]
    selection = select_runs(runs)
    assert [run.run_id for run in selection.all_runs()] == ["baseline-0-2"]
    assert [(one.run_id, one.reason) for one in selection.exclusions] == [
        ("baseline-0-1", "a later run of this condition and seed is included"),
        ("baseline-0-3", "failed"),
    ]


def test_the_order_in_which_runs_come_does_not_matter(make_run: MakeRun) -> None:
    runs = [
        make_run(condition, seed, minute=minute, status=status)
        for minute, (condition, seed, status) in enumerate(
            (condition, seed, status)
            for condition in ("b", "a", "baseline")
            for seed in (2, 0, 1, 0)
            for status in (RunStatus.FINISHED, RunStatus.FAILED)
        )
    ]
    expected = select_runs(runs)
    assert expected.conditions == ("baseline", "b", "a")
    assert [run.seed for run in expected.all_runs()] == [0, 1, 2] * 3
    rng = random.Random(0)
    for _ in range(20):
        rng.shuffle(runs)
        assert select_runs(runs) == expected


def test_the_reference_is_baseline_else_without_dropout_else_the_first(make_run: MakeRun) -> None:
    low, none, high = (
        make_run("low", 0, minute=1, rates=(0.1, 0.1, 0.1)),
        make_run("none", 0, minute=2, rates=(0.0, 0.0, 0.0)),
        make_run("high", 0, minute=3, rates=(0.5, 0.5, 0.5)),
    )
    baseline = make_run("baseline", 0, minute=4, rates=(0.1, 0.1, 0.1))
    assert select_runs([low, none, high, baseline]).reference == "baseline"
    assert select_runs([low, none, high]).reference == "none"
    assert select_runs([low, high]).reference == "low"
    assert select_runs([low, none, high], reference="high").conditions == ("high", "low", "none")


def test_conditions_can_be_chosen_and_are_compared_with_the_baseline(make_run: MakeRun) -> None:
    runs = [make_run(name, 0, minute=minute) for minute, name in enumerate(("a", "b", "baseline"), 1)]
    assert select_runs(runs, conditions=["b"]).only(["b"]).conditions == ("baseline", "b")
    chosen = select_runs(runs, conditions=["b"], reference="a")
    assert chosen.conditions == ("a", "b", "baseline")
    assert chosen.only(["b"]).conditions == ("a", "b")
    assert set(chosen.only(["b"]).runs) == {"a", "b"}


def test_what_is_not_there_is_told_with_what_is(make_run: MakeRun) -> None:
    runs = [make_run("baseline", 0), make_run("dropout", 0, status=RunStatus.RUNNING)]
    with pytest.raises(UsageError, match="did you mean 'dropout'"):
        select_runs(runs, conditions=["dropuot"])
    with pytest.raises(UsageError, match="did you mean 'baseline'"):
        select_runs(runs, reference="basline")
    with pytest.raises(UsageError, match="No finished run of dropout"):
        select_runs(runs, conditions=["dropout"])
    with pytest.raises(UsageError, match="no runs"):
        select_runs([])
    with pytest.raises(UsageError, match="No finished run of dropout"):
        select_runs(runs[1:])
    assert select_runs(runs).conditions == ("baseline",)


def test_a_figure_that_is_missing_or_not_finite_leaves_its_run_out(make_run: MakeRun) -> None:
    runs = {
        seed: make_run("baseline", seed, test_loss=value)
        for seed, value in enumerate((0.25, math.nan, math.inf, 1.7976931348623157e308))
    }
    runs[4] = make_run("baseline", 4, other=1.0)
    values, exclusions = metric_values(runs, "test_loss")
    assert values == {0: 0.25}
    assert [(one.seed, one.metric, one.reason) for one in exclusions] == [
        (1, "test_loss", "test_loss is not finite"),
        (2, "test_loss", "test_loss is not finite"),
        (3, "test_loss", "test_loss is not finite"),
        (4, "test_loss", "test_loss was not logged"),
    ]


@pytest.mark.parametrize(
    ("seeds", "reference_seeds", "expected"),
    [
        ([0, 1, 2], [2, 1, 0], [0, 1, 2]),
        ([0, 1, 2], range(10), [0, 1, 2]),
        ([0, 1, 2, 3], [2, 3, 4, 5], [2, 3]),
        ([0, 1, 2, 3, 4], [3, 4, 5, 6, 7], []),
        ([0, 1], [1, 2], []),
        ([0], [0], [0]),
        ([0], [1], []),
        ([0], range(5), [0]),
        ([], [0], []),
    ],
)
def test_runs_are_paired_where_enough_seeds_are_shared(
    seeds: list[int], reference_seeds: list[int], expected: list[int]
) -> None:
    assert paired_seeds(seeds, reference_seeds) == expected
    assert paired_seeds(reference_seeds, seeds) == expected


def test_seeds_are_written_as_ranges() -> None:
    assert format_seeds([4, 0, 2, 1, 3, 7]) == "0-4, 7"
    assert format_seeds([1, 2, 5]) == "1, 2, 5"
    assert format_seeds([]) == ""


def test_runs_of_an_earlier_spec_are_excluded_with_the_reason(make_run: MakeRun) -> None:
    old = [make_run(name, seed, minute=seed + 1, spec_fingerprint="old") for name in ("baseline", "dropout")
           for seed in (0, 1)]  # fmt: skip
    trial = [make_run(name, 0, minute=9, spec_fingerprint="trial") for name in ("baseline", "dropout")]
    selection = select_runs([*old, *trial])
    assert {run.spec_fingerprint for run in selection.all_runs()} == {"trial"}
    assert [one.reason for one in selection.exclusions] == [OTHER_SPEC] * 4


def test_the_spec_that_was_run_again_is_current_although_nothing_was_trained(make_run: MakeRun) -> None:
    old = [
        make_run(
            name, seed, minute=seed + 1, spec_fingerprint="old", requested=FIRST_START + timedelta(minutes=10)
        )
        for name in ("baseline", "dropout")
        for seed in (0, 1)
    ]
    trial = [make_run(name, 0, minute=9, spec_fingerprint="trial") for name in ("baseline", "dropout")]
    selection = select_runs([*old, *trial])
    assert {run.spec_fingerprint for run in selection.all_runs()} == {"old"}
    assert len(selection.all_runs()) == 4
    assert [one.reason for one in selection.exclusions] == [OTHER_SPEC] * 2


def test_an_unfinished_trial_does_not_replace_finished_runs(make_run: MakeRun) -> None:
    runs = [make_run("baseline", 0, spec_fingerprint="old")]
    runs.append(make_run("baseline", 0, minute=9, spec_fingerprint="trial", status=RunStatus.KILLED))
    assert [run.spec_fingerprint for run in select_runs(runs).all_runs()] == ["old"]
