from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dropout_lab.comparison.claims import ClaimResult, ClaimStatus, judge_claims
from dropout_lab.comparison.selection import select_runs
from dropout_lab.records import Claim, Design, RunRecord, claims_fingerprint

MakeCondition = Callable[..., list[RunRecord]]
CLAIM = Claim(
    metric="generalization_gap", condition="dropout", reference="baseline", expected="lower", margin=0.01
)
BASELINE = [0.050, 0.052, 0.049, 0.051, 0.050]
NOISE = np.array([0.0005, -0.0005, 0.0003, -0.0003, 0.0])


def judge(
    make_condition: MakeCondition, difference: float, stated: tuple[Claim, ...] | None = None, **claim: Any
) -> ClaimResult:
    """Judge `CLAIM`, with the changes given, from five pairs that differ by about `difference`."""
    asked = replace(CLAIM, **claim)
    tag = claims_fingerprint([asked] if stated is None else stated)
    runs = make_condition("baseline", BASELINE, asked.metric, claims_fingerprint=tag)
    values = list(np.array(BASELINE) + difference + NOISE)
    runs += make_condition("dropout", values, asked.metric, claims_fingerprint=tag)
    (result,) = judge_claims([asked], select_runs(runs))
    return result


@pytest.mark.parametrize(
    ("expected", "margin", "difference", "status"),
    [
        ("lower", 0.01, -0.02, ClaimStatus.SUPPORTED),
        ("lower", 0.01, -0.01, ClaimStatus.UNDECIDED),
        ("lower", 0.01, -0.005, ClaimStatus.REFUTED),
        ("lower", 0.0, -0.005, ClaimStatus.SUPPORTED),
        ("lower", 0.0, 0.005, ClaimStatus.REFUTED),
        ("higher", 0.01, 0.02, ClaimStatus.SUPPORTED),
        ("higher", 0.01, 0.01, ClaimStatus.UNDECIDED),
        ("higher", 0.01, 0.005, ClaimStatus.REFUTED),
        ("higher", 0.0, -0.005, ClaimStatus.REFUTED),
        ("equivalent", 0.002, 0.0, ClaimStatus.SUPPORTED),
        ("equivalent", 0.002, 0.002, ClaimStatus.UNDECIDED),
        ("equivalent", 0.002, 0.004, ClaimStatus.REFUTED),
        ("equivalent", 0.002, -0.004, ClaimStatus.REFUTED),
    ],
)
def test_a_claim_is_judged_by_its_one_sided_bounds(
    make_condition: MakeCondition, expected: str, margin: float, difference: float, status: ClaimStatus
) -> None:
    result = judge(make_condition, difference, expected=expected, margin=margin)
    reach = 2.1318467859510317 * NOISE.std(ddof=1) / np.sqrt(5)  # t quantile 0.95, 4 degrees of freedom
    assert result.status is status
    assert (result.ci_low, result.ci_high) == pytest.approx((difference - reach, difference + reach))
    assert result.mean_difference == pytest.approx(difference)
    assert (result.n, result.changed) == (5, False)
    assert result.sentence.startswith(f"{status.value}: generalization gap of dropout is {expected}")


def test_a_claim_that_was_changed_after_its_runs_is_flagged(make_condition: MakeCondition) -> None:
    weaker = replace(CLAIM, margin=0.005)
    assert not judge(make_condition, -0.02, stated=(weaker, CLAIM)).changed
    result = judge(make_condition, -0.02, stated=(weaker,))
    assert result.changed
    assert "added or changed after the runs" in result.sentence
    assert judge(make_condition, -0.02, stated=()).changed


def test_a_fingerprint_is_of_every_field_and_of_no_order() -> None:
    others = [
        replace(CLAIM, metric="test_loss"),
        replace(CLAIM, condition="other"),
        replace(CLAIM, reference="other"),
        replace(CLAIM, expected="higher"),
        replace(CLAIM, margin=0.02),
    ]
    assert len({claim.fingerprint for claim in [CLAIM, *others]}) == 6
    assert replace(CLAIM, margin=1).fingerprint == replace(CLAIM, margin=1.0).fingerprint
    assert claims_fingerprint([CLAIM, *others]) == claims_fingerprint([*others, CLAIM, CLAIM])
    assert claims_fingerprint([]) == ""


def test_one_seed_or_no_spread_leaves_a_claim_undecided(make_condition: MakeCondition) -> None:
    for num_seeds, shown in [(1, "1 seed, too few for a test"), (3, "3 seeds")]:
        runs = make_condition("baseline", [0.05] * num_seeds, "generalization_gap")
        runs += make_condition("dropout", [0.01] * num_seeds, "generalization_gap")
        (result,) = judge_claims([CLAIM], select_runs(runs))
        assert result.status is ClaimStatus.UNDECIDED
        assert shown in result.sentence


def test_unpaired_seeds_are_judged_too(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE, "generalization_gap")
    others = make_condition("dropout", list(np.array(BASELINE) - 0.02), "generalization_gap")
    runs += [replace(run, seed=run.seed + 100) for run in others]
    (result,) = judge_claims([CLAIM], select_runs(runs))
    assert result.status is ClaimStatus.SUPPORTED


def test_a_claim_about_a_condition_without_runs_is_undecided(make_condition: MakeCondition) -> None:
    selection = select_runs(make_condition("baseline", BASELINE, "generalization_gap"))
    (result,) = judge_claims([CLAIM], selection)
    assert (result.status, result.n) == (ClaimStatus.UNDECIDED, 0)
    assert "0 seeds, too few for a test" in result.sentence


def test_a_claim_is_not_flagged_because_the_baseline_came_from_another_spec(
    make_condition: MakeCondition,
) -> None:
    runs = make_condition("baseline", BASELINE, "generalization_gap", claims_fingerprint="")
    tag = claims_fingerprint([CLAIM])
    values = list(np.array(BASELINE) - 0.02 + NOISE)
    runs += make_condition("dropout", values, "generalization_gap", claims_fingerprint=tag)
    (result,) = judge_claims([CLAIM], select_runs(runs))
    assert (result.status, result.changed) == (ClaimStatus.SUPPORTED, False)


def test_the_level_of_each_claim_is_adjusted_for_their_number(make_condition: MakeCondition) -> None:
    claims = [replace(CLAIM, margin=margin) for margin in (0.01, 0.011, 0.012, 0.013)]
    runs = make_condition("baseline", BASELINE, "generalization_gap")
    runs += make_condition("dropout", list(np.array(BASELINE) - 0.02 + NOISE), "generalization_gap")
    results = judge_claims(claims, select_runs(runs))
    assert [result.confidence for result in results] == pytest.approx([1 - 0.05 / 4] * 4)
    reach = 3.4954059325060506 * NOISE.std(ddof=1) / np.sqrt(5)  # t quantile 0.9875, 4 degrees of freedom
    assert results[0].ci_high == pytest.approx(-0.02 + reach)
    assert "one-sided 98.75% bounds" in results[0].sentence


def test_fewer_seeds_than_planned_give_no_result(make_condition: MakeCondition) -> None:
    design = Design(first=10, most=10)
    runs = make_condition("baseline", BASELINE, "generalization_gap", design=design)
    values = list(np.array(BASELINE) - 0.02 + NOISE)
    runs += make_condition("dropout", values, "generalization_gap", design=design)
    (result,) = judge_claims([CLAIM], select_runs(runs))
    assert result.status is ClaimStatus.INTERIM
    assert "5 seeds of 10 planned" in result.sentence


def test_a_sequential_design_widens_the_bounds(make_condition: MakeCondition) -> None:
    values = list(np.array(BASELINE) - 0.02 + NOISE)
    found = {}
    for name, design in {"fixed": Design(first=5, most=5), "sequential": Design(first=5, most=30)}.items():
        runs = make_condition("baseline", BASELINE, "generalization_gap", design=design)
        runs += make_condition("dropout", values, "generalization_gap", design=design)
        (found[name],) = judge_claims([CLAIM], select_runs(runs))
    assert found["sequential"].ci_high > found["fixed"].ci_high
    assert found["sequential"].confidence > 0.98


def test_a_claim_is_tested_at_the_looks_alone(make_condition: MakeCondition) -> None:
    def judged(most_at_once: int) -> ClaimResult:
        design = Design(first=3, most=9, step=3)
        values = [-0.02, -0.021, -0.019, 0.05, 0.05][:most_at_once]
        runs = make_condition("baseline", BASELINE[:most_at_once], "generalization_gap", design=design)
        changed = list(np.array(BASELINE[:most_at_once]) + values)
        runs += make_condition("dropout", changed, "generalization_gap", design=design)
        return judge_claims([CLAIM], select_runs(runs))[0]

    assert (judged(3).n, judged(3).ci_high) == (judged(5).n, judged(5).ci_high)
    assert judged(2).status is ClaimStatus.INTERIM
