"""The view holds what every format shows."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison
from dropout_lab.records import Design, RunRecord
from dropout_lab.reporting.data import CSV_COLUMNS, csv_rows, json_value
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.reporting.tables import TextTable
from dropout_lab.reporting.view import DETAILS, difference_cells, view_comparison

MakeRun = Callable[..., RunRecord]
GAINS = {"baseline": 0.0, "dropout": 0.02, "heavy": -0.001}


def comparison(
    make_run: MakeRun, names: tuple[str, ...] = ("baseline", "dropout"), n: int = 6, **others: object
) -> Comparison:
    design = Design(first=6, most=6, num_conditions=len(names))
    runs = [
        make_run(name, seed, design=design, rates=(index / 10, 0, 0),
                 test_accuracy=0.9 + GAINS[name] + (seed * (index + 2) % 5) / 1000,
                 test_loss=0.3 - GAINS[name] + (seed * (index + 3) % 7) / 1000)
        for index, name in enumerate(names)
        for seed in range(n)
    ]  # fmt: skip
    return compare_runs(runs, Question(**others))  # type: ignore[arg-type]


def test_one_condition_stands_beside_the_reference(make_run: MakeRun) -> None:
    view = view_comparison(comparison(make_run))
    assert view.title == "study: dropout vs baseline · 6 paired seeds · 95% CI"
    assert view.design == (
        "Design: primary metric test accuracy; 6 seeds per condition; equivalence margin ±0.20 points."
    )
    primary, secondary = view.results
    assert primary.headings == ("Metric", "baseline", "dropout", "Difference", "CI", "p", "Verdict", *DETAILS)
    assert [row[0] for row in primary.rows] == ["test accuracy"]
    assert primary.rows[0][6] == "better"
    assert [row[0] for row in secondary.rows] == ["test loss"]
    assert secondary.title.startswith("Secondary metrics")
    assert [verdict.metric for verdict in view.verdicts] == ["test_accuracy"]
    assert view.gaps is None


def test_several_conditions_stand_below_the_reference(make_run: MakeRun) -> None:
    view = view_comparison(comparison(make_run, tuple(GAINS), all_pairs=True))
    primary, _, pairs, ranks = view.results
    assert [row[1] for row in primary.rows] == list(GAINS)
    assert primary.rows[0][3] == "reference"
    assert primary.headings[5] == "p (adjusted)"
    assert {len(row) for table in view.results for row in table.rows} >= {len(primary.headings)}
    for table in view.results:
        assert {len(row) for row in table.rows} == {len(table.headings)}
    assert [row[:2] for row in pairs.rows] == [
        ("baseline", "dropout"), ("baseline", "heavy"), ("dropout", "heavy"),
    ]  # fmt: skip
    assert ranks.rows[0][0] == "dropout"


def test_pairs_of_other_seeds_than_planned_have_no_test(make_run: MakeRun) -> None:
    design = Design(first=20, most=20)
    found = comparison(make_run, tuple(GAINS), all_pairs=True)
    view = view_comparison(
        compare_runs([replace(run, design=design) for run in found.runs], Question(all_pairs=True))
    )
    pairs, ranks = view.results[-2:]
    assert pairs.headings == ("Condition", "Compared with", "Difference", "CI")
    assert pairs.title.endswith("as if these seeds had been planned, not tested")
    assert ranks.headings == ("Condition", "Mean rank")
    assert ranks.title == "Mean ranks (1 = best)"


def test_every_format_has_every_verdict(make_run: MakeRun) -> None:
    found = comparison(make_run, tuple(GAINS))
    markdown, rows, plain = to_markdown(found), csv_rows(found), json_value(found)
    for verdict in found.verdicts:
        assert (verdict.statement in markdown.replace("\\", "")) == verdict.is_primary
        assert [verdict.condition, verdict.metric, verdict.word.value] in [
            [row[0], row[2], row[CSV_COLUMNS.index("verdict")]] for row in rows
        ]
        assert verdict.sentence in [one["sentence"] for one in plain["verdicts"]]
    assert {row[3] for row in rows} == {"primary", "secondary"}
    assert len(rows) == 6


def test_an_interim_comparison_says_so_everywhere(make_run: MakeRun) -> None:
    found = comparison(make_run, n=4)
    view = view_comparison(found)
    assert {row[6] for table in view.results for row in table.rows} == {"interim"}
    assert "No verdict yet." in to_markdown(found)
    assert {row[CSV_COLUMNS.index("stage")] for row in csv_rows(found)} == {"interim", ""}


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("test_accuracy", "better 70%, equivalent 20%, worse 10%"),
        ("test_loss", "better 10%, equivalent 20%, worse 70%"),
        ("generalization_gap", "higher 70%, equivalent 20%, lower 10%"),
    ],
)
def test_posterior_probabilities_follow_the_metrics_direction(
    make_run: MakeRun, metric: str, shown: str
) -> None:
    difference = replace(
        comparison(make_run).differences[0], metric=metric, p_above=0.7, p_within=0.2, p_below=0.1
    )
    assert difference_cells(difference)["Posterior probability"] == shown
    none = replace(difference, p_within=float("nan"))
    assert difference_cells(none)["Posterior probability"] == "-"


def test_details_are_a_table_of_their_own_without_empty_rows():
    table = TextTable(
        "Results",
        ("Metric", "Condition", "Difference", "n", "Margin"),
        (("loss", "a", "reference", "", ""), ("loss", "b", "+1", "3 pairs", "-")),
        ("n", "Margin"),
    )
    details = table.only_details()
    assert details.headings == ("Metric", "Condition", "n", "Margin")
    assert details.rows == (("loss", "b", "3 pairs", "-"),)
    assert details.title == "Results: details"


def test_a_column_can_lead_after_the_names():
    table = TextTable("Results", ("Metric", "a", "b", "Verdict"), (("loss", "1", "2", "worse"),))
    leading = table.leading_with("Verdict")
    assert leading.headings == ("Metric", "Verdict", "a", "b")
    assert leading.rows == (("loss", "worse", "1", "2"),)
    assert table.leading_with("absent") == table
