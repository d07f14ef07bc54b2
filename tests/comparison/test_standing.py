"""Where a condition stands, by the designs that its runs were started with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.comparison.standing import Stage, Standing, find_standing
from dropout_lab.errors import UsageError
from dropout_lab.records import Design, RunRecord
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.sequential import SequentialDesign, sequential_test, unplanned_looks

MakeRun = Callable[..., RunRecord]
FIVE, TEN = Design(first=5, most=5), Design(first=10, most=10)
GROWING = Design(first=4, most=12, step=2)


def runs(
    make_run: MakeRun, condition: str, designs: Sequence[Design | None], gain: float = 0.0
) -> dict[int, RunRecord]:
    """Return a run per design, at seeds 0, 1, ..., each started after the one before."""
    noise = np.random.default_rng(len(condition)).normal(0, 0.002, len(designs))
    return {
        seed: make_run(condition, seed, minute=2 * seed + 1 + (condition == "dropout"), design=design,
                       test_accuracy=0.9 + gain + noise[seed], test_loss=0.3 - gain + noise[seed])
        for seed, design in enumerate(designs)
    }  # fmt: skip


def standing(make_run: MakeRun, designs: Sequence[Design | None]) -> Standing:
    return find_standing("dropout", runs(make_run, "dropout", designs), runs(make_run, "baseline", designs))


@pytest.mark.parametrize(
    ("designs", "stage", "planned", "looks"),
    [
        ([None] * 7, Stage.PLANNED, 7, (7,)),
        ([FIVE] * 3, Stage.INTERIM, 5, ()),
        ([FIVE] * 5, Stage.PLANNED, 5, (5,)),
        ([FIVE] * 5 + [TEN] * 2, Stage.INTERIM, 10, (5,)),
        ([FIVE] * 5 + [TEN] * 5, Stage.EXTENDED, 10, (5, 10)),
        ([FIVE] * 4 + [TEN] * 6, Stage.PLANNED, 10, (10,)),
        ([None] * 3 + [FIVE] * 2, Stage.EXTENDED, 5, (3, 5)),
        ([GROWING] * 3, Stage.INTERIM, 12, ()),
        ([GROWING] * 4, Stage.SEQUENTIAL, 12, (4,)),
        ([GROWING] * 7, Stage.SEQUENTIAL, 12, (4, 6)),
        ([GROWING] * 12, Stage.SEQUENTIAL, 12, (4, 6, 8, 10, 12)),
        ([FIVE] * 5 + [GROWING] * 3, Stage.EXTENDED, 12, (5, 6, 8)),
        ([], Stage.PLANNED, 0, ()),
        ([Design(first=1, most=1)], Stage.PLANNED, 1, ()),
        ([Design(first=1, most=1)] + [FIVE] * 4, Stage.PLANNED, 5, (5,)),
        ([FIVE] * 10, Stage.EXTENDED, 10, (5, 10)),
        ([FIVE] * 7, Stage.INTERIM, 10, (5,)),
        ([FIVE] * 3 + [Design(first=2, most=2)] * 2, Stage.PLANNED, 5, (5,)),
        ([TEN] * 10 + [FIVE] * 3, Stage.INTERIM, 15, (10,)),
        ([TEN] * 10 + [FIVE] * 5, Stage.EXTENDED, 15, (10, 15)),
        ([Design(first=1, most=1)] * 4, Stage.EXTENDED, 4, (2, 3, 4)),
        ([Design(first=4, most=6)] * 6 + [GROWING] * 3, Stage.EXTENDED, 12, (4, 5, 6, 8)),
        ([Design(first=4, most=6)] * 6 + [GROWING], Stage.INTERIM, 12, (4, 5, 6)),
        ([FIVE] * 5 + [Design(first=4, most=12, step=4)], Stage.INTERIM, 12, (5,)),
        ([replace(GROWING, primary="test_loss")] * 5 + [GROWING] * 3, Stage.SEQUENTIAL, 12, (4, 6, 8)),
    ],
)
def test_looks_are_known_from_the_designs(
    make_run: MakeRun, designs: list[Design | None], stage: Stage, planned: int, looks: tuple[int, ...]
) -> None:
    found = standing(make_run, designs)
    assert (found.stage, found.planned, found.looks) == (stage, planned, looks)
    assert found.num_seeds == len(designs)


def test_a_baseline_with_more_seeds_does_not_count(make_run: MakeRun) -> None:
    baseline, dropout = runs(make_run, "baseline", [TEN] * 10), runs(make_run, "dropout", [FIVE] * 5)
    found = find_standing("dropout", dropout, baseline)
    assert (found.stage, found.num_seeds, found.planned) == (Stage.PLANNED, 5, 5)


def test_an_equal_batch_of_seeds_after_a_test_has_the_error_rate_of_both(make_run: MakeRun) -> None:
    (found,) = compare_runs(both(make_run, [FIVE] * 10)).standings
    assert found.error_rate == unplanned_looks([5, 10], 0.05).error_rate


def both(make_run: MakeRun, designs: Sequence[Design | None], gain: float = 0.0) -> list[RunRecord]:
    return [
        *runs(make_run, "baseline", designs).values(),
        *runs(make_run, "dropout", designs, gain).values(),
    ]


def test_fewer_seeds_than_planned_have_no_verdict_in_any_metric(make_run: MakeRun) -> None:
    found = compare_runs(both(make_run, [TEN] * 6, gain=0.05))
    assert {verdict.word for verdict in found.verdicts} == {VerdictWord.INTERIM}
    assert len(found.verdicts) == 2
    assert found.differences[0].ci_low > 0
    assert any(note.startswith("Interim") for note in found.notes)


def test_added_seeds_carry_the_error_rate_of_what_was_done(make_run: MakeRun) -> None:
    found = compare_runs(both(make_run, [FIVE] * 5 + [TEN] * 5, gain=0.05))
    (standing,) = found.standings
    assert standing.error_rate == unplanned_looks([5, 10], 0.05).error_rate
    assert 0.07 < standing.error_rate < 0.09  # two looks at 5%, the second with twice the seeds
    assert found.verdicts[0].word is VerdictWord.BETTER
    assert "Seeds were added after a test with 5 of now 10 seeds." in found.verdicts[0].sentence
    assert any("sequential design" in note for note in found.notes)


def test_no_advice_to_add_seeds_without_saying_what_that_does(make_run: MakeRun) -> None:
    found = compare_runs(both(make_run, [FIVE] * 5, gain=-0.002))
    assert found.verdicts[0].word is VerdictWord.UNDECIDED
    assert any("Do not add seeds to these runs" in note and "--seeds 5..30" in note for note in found.notes)


def test_a_sequential_design_is_tested_over_all_its_looks(make_run: MakeRun) -> None:
    found = compare_runs(both(make_run, [GROWING] * 7, gain=0.004))
    values = {name: found.summary(name, "test_accuracy").values for name in found.conditions}
    expected = sequential_test(
        *(np.array([values[name][seed] for seed in range(6)]) for name in ("dropout", "baseline")),
        SequentialDesign(first=4, most=12, step=2), margin=0.002,
    )  # fmt: skip
    difference = found.difference("dropout", "test_accuracy")
    assert difference.n == 6, "the last look was at 6 seeds"
    assert difference.p_value == expected.p_value
    assert difference.equivalence_p == expected.equivalence_p
    assert (difference.ci_low, difference.ci_high) == (expected.ci_low, expected.ci_high)
    assert any("over all looks" in note for note in found.notes)


def test_only_a_primary_metric_that_ended_the_training_is_adjusted_for_that(make_run: MakeRun) -> None:
    def means(gain: float) -> dict[str, tuple[float, float]]:
        found = compare_runs(both(make_run, [GROWING] * 8, gain=gain))
        return {
            metric: (one.mean_difference, float(np.mean(list(one.differences.values()))))
            for metric in found.metrics
            for one in [found.difference("dropout", metric)]
        }

    decided, going_on = means(0.002), means(0.0)
    assert 0 < decided["test_accuracy"][0] < decided["test_accuracy"][1]
    for adjusted, mean in (decided["test_loss"], *going_on.values()):
        assert adjusted == pytest.approx(mean)
    found = compare_runs(both(make_run, [GROWING] * 8, gain=0.002)).difference("dropout", "test_accuracy")
    assert found.effect_size == pytest.approx(found.mean_difference / found.sd_difference)


def test_a_metric_with_too_few_values_for_a_look_is_not_tested(make_run: MakeRun) -> None:
    found = both(make_run, [GROWING] * 6, gain=0.05)
    few = [
        replace(run, metrics={name: value for name, value in run.metrics.items() if name != "test_loss"})
        if run.seed > 2
        else run
        for run in found
    ]
    comparison = compare_runs(few)
    loss = comparison.difference("dropout", "test_loss")
    assert (loss.n, np.isnan(loss.p_value), np.isnan(loss.ci_low)) == (3, True, True)
    assert comparison.verdict("dropout", "test_loss").word is VerdictWord.UNDECIDED
    assert comparison.verdict("dropout", "test_accuracy").word is VerdictWord.BETTER


def test_a_look_is_made_with_the_seeds_that_were_trained_first(make_run: MakeRun) -> None:
    """Seed 1 was interrupted, and ended after the look at four seeds."""
    found = [
        replace(run, end_time=run.start_time + timedelta(days=run.seed == 1))
        for run in both(make_run, [GROWING] * 5)
    ]
    difference = compare_runs(found).difference("dropout", "test_accuracy")
    assert set(difference.differences) == {0, 2, 3, 4}
    assert compare_runs(found).standings[0].seeds == (0, 2, 3, 4, 1)


def test_after_a_longer_design_only_the_seeds_of_its_last_look_are_tested(make_run: MakeRun) -> None:
    found = compare_runs(both(make_run, [Design(first=4, most=6)] * 6 + [GROWING] * 3))
    difference = found.difference("dropout", "test_accuracy")
    assert (difference.n, found.standings[0].looks[-1]) == (8, 8)
    assert "after a test with 4, 5, 6 of now 8 seeds" in found.verdicts[0].sentence
    assert not any("holds for the primary metric" in note for note in found.notes)


def test_a_metric_that_some_of_the_seeds_lack_is_interim(make_run: MakeRun) -> None:
    found = [
        replace(run, metrics={**run.metrics, "mc_loss": 0.2 + 0.01 * run.seed * (run.condition == "dropout")})
        if run.seed < 4
        else run
        for run in both(make_run, [FIVE] * 5)
    ]
    comparison = compare_runs(found, Question(metrics=["mc_loss"], all_pairs=True, primary="mc_loss"))
    assert comparison.verdict("dropout", "mc_loss").word is VerdictWord.INTERIM
    assert "4 of 5 planned seeds" in comparison.verdict("dropout", "mc_loss").sentence
    assert comparison.all_pairs is not None
    assert not comparison.all_pairs.is_tested
    whole = compare_runs([run for run in found if run.seed < 4], Question(metrics=["mc_loss"]))
    assert whole.standings[0].stage is Stage.INTERIM


def test_pairs_are_adjusted_for_those_of_hidden_conditions(make_run: MakeRun) -> None:
    found = both(make_run, [FIVE] * 5, gain=0.003)
    others = [
        replace(run, condition=name, run_id=f"{name}{run.seed}")
        for name in ("a", "b")
        for run in found
        if run.condition == "dropout"
    ]
    question = Question(conditions=["dropout"], all_pairs=True)
    alone, hidden = (compare_runs(runs, question).all_pairs for runs in (found, [*found, *others]))
    assert alone is not None
    assert hidden is not None
    assert (alone.num_pairs, hidden.num_pairs) == (1, 6)
    assert hidden.pairs[0].p_adjusted == pytest.approx(6 * alone.pairs[0].p_adjusted)
    assert hidden.pairs[0].ci_low < alone.pairs[0].ci_low


def test_pairs_are_tested_only_with_the_planned_seeds(make_run: MakeRun) -> None:
    question = Question(all_pairs=True)
    for designs, is_tested in (
        ([TEN] * 6, False),
        ([GROWING] * 6, False),
        ([FIVE] * 10, False),
        ([TEN] * 10, True),
    ):
        found = compare_runs(both(make_run, designs, gain=0.05), question).all_pairs
        assert found is not None
        (pair,) = found.pairs
        assert (found.is_tested, pair.is_significant, not np.isnan(pair.p_adjusted)) == (is_tested,) * 3
        assert pair.ci_low < pair.mean_difference < pair.ci_high


def test_a_design_that_changed_after_some_of_the_runs_is_told(make_run: MakeRun) -> None:
    before = replace(FIVE, primary="test_loss", margins={"test_accuracy": 0.004})
    found = compare_runs(both(make_run, [before] * 3 + [FIVE] * 2))
    assert any(
        "test_accuracy was made the primary metric after some of the runs; their spec stated test_loss."
        in note
        for note in found.notes
    )
    assert any("set to 0.002 after some of the runs (before: 0.004)" in note for note in found.notes)
    of_baseline = [
        *runs(make_run, "baseline", [before] * 5).values(),
        *runs(make_run, "dropout", [FIVE] * 5).values(),
    ]
    assert not any("after some of the runs" in note for note in compare_runs(of_baseline).notes)


def test_a_primary_metric_that_was_not_measured_is_not_replaced(make_run: MakeRun) -> None:
    with pytest.raises(UsageError, match="No run has mc_loss, the primary metric of the spec"):
        compare_runs(both(make_run, [replace(FIVE, primary="mc_loss")] * 5))


def test_a_sequential_design_is_tested_by_no_other_method(make_run: MakeRun) -> None:
    with pytest.raises(UsageError, match="known only for the paired t"):
        compare_runs(both(make_run, [GROWING] * 4), Question(method=Method.WILCOXON))
    apart = [replace(run, seed=run.seed + 50 * (run.condition == "dropout"), initial_weights=f"{run.run_id}")
             for run in both(make_run, [GROWING] * 4)]  # fmt: skip
    with pytest.raises(UsageError, match="known only for the paired t"):
        compare_runs(apart)


def test_the_designs_primary_metric_and_margins_are_used(make_run: MakeRun) -> None:
    design = replace(FIVE, primary="test_loss", margins={"test_loss": 0.5})
    found = compare_runs(both(make_run, [design] * 5))
    assert (found.primary, found.metrics) == ("test_loss", ("test_loss", "test_accuracy"))
    assert found.difference("dropout", "test_loss").margin == 0.5
    assert [verdict.is_primary for verdict in found.verdicts] == [True, False]
    other = compare_runs(both(make_run, [design] * 5), Question(primary="test_accuracy"))
    assert other.primary == "test_accuracy"
    assert any(
        "made the primary metric after the runs; the spec states test_loss" in note for note in other.notes
    )
    assert not any("after the runs" in note for note in found.notes)
    changed = compare_runs(both(make_run, [design] * 5), Question(margins={"": 0.4}))
    assert any("test_loss was set to 0.4 after the runs (before: 0.5)" in note for note in changed.notes)
