import re
from dataclasses import replace

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.records import Design
from dropout_lab.reporting.summary import summarize

NOISE = (0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0)


def compare(make_run, shift: float, *, noise: float = 0.1, num_seeds: int = 6, **fields):
    runs = [
        make_run(
            name,
            seed,
            test_accuracy=0.9 + NOISE[seed] + (shift + noise * NOISE[-seed - 1] if name != "baseline" else 0),
            train_seconds=10.0,
            **fields,
        )
        for name in ("baseline", "dropout")
        for seed in range(num_seeds)
    ]
    return compare_runs(runs)


@pytest.mark.parametrize(
    "shift, noise, word, decision",
    [
        (0.01, 0.1, "better", "Favors dropout, by more than the equivalence margin of ±0.20 points."),
        (-0.01, 0.1, "worse", "Favors baseline, by more than the equivalence margin of ±0.20 points."),
        (
            0.0021,
            0.5,
            "better",
            "Favors dropout, but the true difference may be smaller than the equivalence margin of "
            "±0.20 points.",
        ),
        (
            0.0,
            0.1,
            "equivalent",
            "The choice between dropout and baseline does not matter for test accuracy.",
        ),
        (
            0.001,
            9.0,
            "undecided",
            "No decision: these runs support neither a difference nor equivalence.",
        ),
    ],
)
def test_the_decision_follows_from_verdict_and_margin(make_run, shift, noise, word, decision):
    (answer,) = summarize(compare(make_run, shift, noise=noise)).answers
    assert answer.verdict.word == VerdictWord(word)
    assert answer.decision == decision


def test_an_interim_result_is_no_decision(make_run):
    design = Design(first=6, most=6, primary="test_accuracy")
    summary = summarize(compare(make_run, 0.01, num_seeds=2, design=design))
    assert summary.answers[0].decision == "No decision yet: finish the planned seeds first."
    assert "Few seeds: only 2 seeds per condition." in summary.limits


def test_question_and_evidence_name_what_was_compared(make_run):
    summary = summarize(compare(make_run, 0.01))
    assert summary.question == "Does dropout change the test accuracy compared with baseline?"
    assert summary.evidence.startswith("12 runs, seeds 0-5, 20")
    assert summary.evidence.endswith(", 2 min of training")
    assert "seeds 0-5, started by ada, 20" in summarize(compare(make_run, 0.01, user="ada")).evidence
    assert "started by" not in summarize(compare(make_run, 0.01, user="root")).evidence


def test_limits_tell_what_makes_the_evidence_weak(make_run):
    spec = {"data.num_train": "1000", "data.num_test": "500", "data.validation": "test"}
    comparison = compare(make_run, 0.01, num_seeds=3, spec=spec)
    assert summarize(comparison).limits[:3] == (
        "Few seeds: only 3 seeds per condition.",
        "Reduced data: 1,000 training and 500 test examples.",
        "The test set served as validation set; nothing was selected with it.",
    )
    slow = [replace(r, device_name="slow" if r.condition == "dropout" else "fast") for r in comparison.runs]
    cautious = compare_runs(slow)
    assert summarize(cautious).limits[0] == cautious.findings[0].sentence


def test_a_single_condition_is_described(make_run):
    summary = summarize(compare_runs([make_run("baseline", 0, test_accuracy=0.9)]))
    assert summary.question == "What is the test accuracy of baseline?"
    assert summary.answers == ()


def test_each_answer_tells_what_would_change_it(make_run):
    (answer,) = summarize(compare(make_run, 0.01, noise=0.5)).answers
    equivalence, found = answer.changes
    assert re.fullmatch(
        r"With an equivalence margin of ±1.0\d points or more it would be equivalent.", equivalence
    )
    assert re.fullmatch(
        r"With 6 seeds, true differences of ±0.\d\d points or more are found \(80% power\).", found
    )
    (answer,) = summarize(compare(make_run, 0.0, noise=0.1)).answers
    assert re.fullmatch(
        r"With an equivalence margin below ±0.0\d points it would not be equivalent.", answer.changes[0]
    )


def test_what_would_change_is_not_told_before_the_planned_seeds(make_run):
    design = Design(first=6, most=6, primary="test_accuracy")
    (answer,) = summarize(compare(make_run, 0.01, num_seeds=2, design=design)).answers
    assert answer.changes == ()


@pytest.mark.parametrize("shift, noise", [(0.01, 0.1), (0.0, 0.1), (0.001, 9.0)])
def test_the_word_of_a_verdict_is_in_its_sentence_once(make_run, shift, noise):
    (answer,) = summarize(compare(make_run, shift, noise=noise)).answers
    before, word, after = answer.parts
    assert before + word + after == answer.verdict.sentence
    assert word == answer.verdict.word.value
    assert word not in before + after


def test_many_conditions_are_grouped_by_what_follows(make_run):
    shifts = {"baseline": 0.0, "a": 0.01, "b": 0.02, "c": -0.01, "d": 0.0}
    runs = [
        make_run(
            name,
            seed,
            test_accuracy=0.9 + NOISE[seed] + shift + 0.1 * NOISE[-seed - 1] * (name != "baseline"),
        )
        for name, shift in shifts.items()
        for seed in range(6)
    ]
    summary = summarize(compare_runs(runs))
    assert summary.question == "Which of 4 conditions change the test accuracy compared with baseline?"
    assert [(one.word, [m.partition(" ")[0] for m in one.members]) for one in summary.groups] == [
        ("better", ["a", "b"]),
        ("worse", ["c"]),
        ("equivalent", ["d"]),
    ]
    assert summary.groups[0].decision.startswith("Favors these, by more than")
    assert summary.groups[1].decision.startswith("Favors baseline, by more than")
    assert (
        summary.groups[2].decision
        == "The choice between these and baseline does not matter for test accuracy."
    )
    assert summary.groups[0].members[0].startswith("a +1.00 points [+0.")
    few = [run for run in runs if run.condition in ("baseline", "a", "b")]
    assert summarize(compare_runs(few)).groups == ()
