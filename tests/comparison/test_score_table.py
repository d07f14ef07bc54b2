"""A table of scores is compared as runs are."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.comparison.score_table import judge, parse_scores, seed_numbers
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.evaluation.registry import COMPARED_METRICS
from dropout_lab.records import RunRecord
from dropout_lab.statistics.methods import Method

MakeRun = Callable[..., RunRecord]
RNG = np.random.default_rng(5)
SCORES = {
    name: {"test_accuracy": 0.9 + effect + RNG.normal(0, 0.003, 8), "test_loss": 0.3 + RNG.normal(0, 0.01, 8)}
    for name, effect in {"baseline": 0.0, "a": 0.004, "b": -0.001}.items()
}


def rows(**renamed: str) -> list[dict[str, Any]]:
    return [
        {"condition": name, "seed": seed, **{metric: values[seed] for metric, values in metrics.items()}}
        for name, metrics in SCORES.items()
        for seed in range(8)
    ]


@pytest.mark.parametrize("method", Method)
def test_it_equals_the_comparison_of_runs_to_the_last_digit(make_run: MakeRun, method: Method) -> None:
    runs = [
        make_run(row["condition"], row["seed"], rates=(0.1 * index, 0, 0),
                 test_accuracy=row["test_accuracy"], test_loss=row["test_loss"])
        for index, row in enumerate(rows())
    ]  # fmt: skip
    expected = compare_runs(runs, Question(method=method, allow=("model",), varying=("model",)))
    for table in (rows(), parse_scores(json.dumps(rows()), "j"), parse_scores(as_csv(rows()), "c")):
        found = judge(table, Question(method=method, metrics=("test_accuracy", "test_loss")))
        assert found.differences == expected.differences
        assert found.verdicts == expected.verdicts
        assert found.summaries == expected.summaries


def as_csv(table: list[dict[str, Any]]) -> str:
    return "\n".join([",".join(table[0]), *(",".join(map(str, row.values())) for row in table)])


def test_without_seeds_runs_are_not_paired() -> None:
    table = [{key: value for key, value in row.items() if key != "seed"} for row in rows()]
    found = judge(table, Question(metrics=["test_accuracy"]))
    difference = found.difference("a", "test_accuracy")
    welch = stats.ttest_ind(
        SCORES["a"]["test_accuracy"], SCORES["baseline"]["test_accuracy"], equal_var=False
    )
    assert not difference.paired
    assert difference.p_value == pytest.approx(welch.pvalue)


def test_seeds_may_have_names_and_cells_may_be_empty() -> None:
    text = "condition,seed,f1\nA,x,0.5\nA,y,0.6\nA,z,\nB,y,0.7\nB,x,0.55\nB,z,nan\n"
    found = judge(parse_scores(text, "t"), Question(metrics=["f1"]))
    difference = found.difference("B", "f1")
    assert (difference.n, difference.paired) == (2, True)
    assert difference.mean_difference == pytest.approx((0.1 + 0.05) / 2)
    assert {one.reason for one in found.exclusions} == {"f1 was not logged", "f1 is not finite"}
    assert seed_numbers(["3", 3.0, 3, "x", None, math.nan, "x"])[:4] == [3, 3, 3, 10**16]


def test_columns_of_json_are_rows_too() -> None:
    columns = {key: [row[key] for row in rows()] for key in ("condition", "seed", "test_loss")}
    assert parse_scores(json.dumps(columns), "t") == [
        {key: row[key] for key in ("condition", "seed", "test_loss")} for row in rows()
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("condition,seed,f1\n", "no rows"),
        ("conditon,seed,f1\nA,0,1\n", "did you mean 'conditon'"),
        ("condition,seed,f1\nA,0,much\n", "row 1, f1: not a number: 'much'"),
        ("condition,seed,f1\nA,0\n", "t:2: expected 3 cells"),
        ("condition,seed,f1\nA,0,1,2\n", "t:2: expected 3 cells"),
        ("condition,seed,f1\nA,0,1\nA,0,2\n", "condition 'A' has seed 0 twice"),
        ("[1, 2]", "expected a list of objects"),
        ("{", "not valid JSON"),
        ('{"condition": ["A"], "seed": [1, 2]}', "columns of different lengths"),
        ('[{"condition": "A", "seed": 1, "f1": true}]', "not a number: True"),
    ],
)
def test_a_malformed_table_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        judge(parse_scores(text, "t"), Question(metrics=["f1"]), name="t")


def test_the_question_is_not_changed() -> None:
    question = Question(metrics=("test_accuracy",))
    assert judge(rows(), question).differences
    assert question == replace(question)
    assert question.guard


def test_an_accuracy_of_others_is_not_taken_for_that_of_a_training_epoch() -> None:
    table = [
        {"condition": name, "seed": seed, "accuracy": 0.9 + seed / 100} for name in "ab" for seed in range(3)
    ]
    notes = judge(table, Question(metrics=["accuracy"])).notes
    assert not any("dropout on" in note for note in notes)


def test_every_metric_is_judged_by_the_direction_and_the_margin_of_the_registry() -> None:
    names = [name for name in COMPARED_METRICS if name not in ("generalization_gap", "loss_gap")]
    names += ["shift_accuracy_blur_5", "shift_loss_noise", "ood_auroc_digits", "test_accuracy_class_3"]
    noise = np.random.default_rng(0).normal(0, 1e-6, 5)
    table = [
        {"condition": condition, "seed": seed}
        | dict.fromkeys(names, 0.5 + effect + noise[seed] * (1 + effect))
        for condition, effect in (("none", 0), ("more", 0.3), ("equal", 1e-5))
        for seed in range(5)
    ]
    found = judge(table, Question(metrics=names, reference="none"))
    words = {True: VerdictWord.BETTER, False: VerdictWord.WORSE, None: VerdictWord.HIGHER}
    for name in names:
        info = metric_info(name)
        assert found.verdict("more", name).word is words[info.higher_is_better], name
        assert found.difference("more", name).margin == info.margin
        # A significant difference that lies within the margin is equivalent.
        assert found.difference("equal", name).p_adjusted < 0.05
        assert (found.verdict("equal", name).word is VerdictWord.EQUIVALENT) == bool(info.margin), name
    neutral = {name for name in names if metric_info(name).higher_is_better is None}
    assert neutral == {"test_entropy", "mc_entropy", "mc_mutual_information", "temperature"}
