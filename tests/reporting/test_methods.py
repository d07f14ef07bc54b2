"""The methods paragraph says what was done, and cites what was used."""

from collections.abc import Callable
from dataclasses import replace

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison
from dropout_lab.records import Design, RunRecord
from dropout_lab.reporting.bibliography import references
from dropout_lab.reporting.methods import methods_paragraph
from dropout_lab.statistics.methods import Method

MakeRun = Callable[..., RunRecord]


def runs(make_run: MakeRun, n: int = 6, **others: object) -> list[RunRecord]:
    return [
        make_run(name, seed, test_accuracy=0.9 + (seed * 7 % 5) / 1000 * (index + 1),
                 test_loss=0.3 + (seed * 3 % 5) / 1000 * (index + 1), **others)
        for index, name in enumerate(("baseline", "dropout"))
        for seed in range(n)
    ]  # fmt: skip


def _cited(comparison: Comparison) -> str:
    return " ".join(one.text for one in references(comparison))


def test_a_fixed_design_is_described(make_run: MakeRun) -> None:
    comparison = compare_runs(runs(make_run, design=Design(first=6, most=6)))
    text = methods_paragraph(comparison)
    for part in (
        "We trained 2 conditions (baseline, dropout) with 6 random seeds per condition",
        "optimizer adam", "share initial weights", "test accuracy (primary; paired t)", "95% confidence",
        "within ±0.20 points", "The number of seeds was fixed before training.", "keras 3.15.1",
        "Secondary metrics (test loss)", "but not between datasets",
    ):  # fmt: skip
        assert part in text, part
    cited = _cited(comparison)
    assert "doi:10.1093/biomet/6.1.1" in cited
    assert "Schuirmann" in cited
    assert "Pocock" not in cited


def test_only_what_runs_of_a_seed_share_is_said_to_be_shared(make_run: MakeRun) -> None:
    def sentence(**changes: str) -> str:
        of_dropout = [
            replace(run, **changes) if run.condition == "dropout" else run for run in runs(make_run)
        ]
        text = methods_paragraph(compare_runs(of_dropout, Question(allow=tuple(changes))))
        return text.partition("Runs with the same seed")[2].partition(".")[0].strip()

    assert sentence() == "share initial weights, batch order and data"
    assert sentence(batch_order="another") == "share initial weights and data"
    assert sentence(batch_order="another", data_digest="other") == "share initial weights"
    assert sentence(batch_order="another", data_digest="other", initial_weights="") == ""


def test_settings_are_named_if_all_runs_share_them(make_run: MakeRun) -> None:
    decay = {"training.weight_decay": "0.01"}
    text = methods_paragraph(compare_runs(runs(make_run, spec=decay)))
    assert "batch size 200, weight decay 0.01)" in text
    alone = [
        replace(run, spec={**run.spec, **decay, "training.epochs": "20"})
        if run.condition == "dropout"
        else run
        for run in runs(make_run)
    ]
    varying = ["model.dropout", "training.weight_decay", "training.epochs"]
    text = methods_paragraph(compare_runs(alone, Question(varying=varying)))
    assert "We trained 2 conditions" in text
    assert "epochs" not in text
    assert "weight decay" not in text


def test_what_was_done_otherwise_is_said_and_cited(make_run: MakeRun) -> None:
    sequential = compare_runs(runs(make_run, design=Design(first=4, most=9)))
    assert "until the primary metric was decided" in methods_paragraph(sequential)
    assert "Pocock" in _cited(sequential)
    extended = runs(make_run, 4, design=Design(first=4, most=4))
    extended += [replace(run, design=Design(first=6, most=6)) for run in runs(make_run) if run.seed > 3]
    assert "Seeds were added after the planned number" in methods_paragraph(compare_runs(extended))
    interim = compare_runs(runs(make_run, 3, design=Design(first=6, most=6)))
    assert "interim" in methods_paragraph(interim)
    wilcoxon = compare_runs(runs(make_run), Question(method=Method.WILCOXON))
    assert "Wilcoxon" in _cited(wilcoxon)
    resampled = compare_runs(runs(make_run, spec={"data.resample": "True"}))
    assert "variation between training sets" in methods_paragraph(resampled)


def test_the_papers_of_schedules_are_cited(make_run: MakeRun) -> None:
    assert "Liu Z" not in _cited(compare_runs(runs(make_run)))
    for shape, paper in (("early", "Liu Z"), ("late", "Liu Z"), ("curriculum", "Morerio P")):
        spec = {"model.dropout.dense": "0.5", "model.dropout.dense.schedule.shape": shape}
        assert paper in _cited(compare_runs(runs(make_run, spec=spec)))
