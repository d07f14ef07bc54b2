"""The numbers on the pages of the studies are those that the pages' own commands compute from the scores."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dropout_lab.cli.app import app
from dropout_lab.comparison import score_table
from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import (
    format_difference,
    format_interval,
    format_mean_sd,
    format_p_cell,
    format_value,
    metric_info,
)

ROOT = Path(__file__).resolve().parent.parent
STUDIES = ROOT / "docs" / "studies"
OTHERS = ("index.md", "published.md")
"""Pages without tables of scores in `STUDIES`; `test_study.py` checks the files of the published network."""
PAGES = sorted(path for path in STUDIES.glob("*.md") if path.name not in OTHERS)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def judged(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Comparison]:
    """Run the blocks of a page in a folder, and return everything that they compare."""
    found: list[Comparison] = []
    compare_runs = score_table.compare_runs

    def kept(*given: object, **options: object) -> Comparison:
        found.append(compare_runs(*given, **options))
        return found[-1]

    monkeypatch.setattr(score_table, "compare_runs", kept)
    (folder / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(folder)
    for language, content in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(content, str(page), "exec"), {})
        for line in content.splitlines() if language == "sh" else ():
            done = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
            assert done.exit_code == 0, line
    return found


def shown(comparison: Comparison, condition: str, metric: str) -> set[str]:
    """Return what a table may say of a condition in a metric."""
    summary = comparison.summary(condition, metric)
    mean = format_value(metric, summary.mean)
    words = {condition, mean, format_mean_sd(metric, summary.mean, summary.sd)}
    if condition == comparison.reference:
        return words | {"reference"}
    difference = comparison.difference(condition, metric)
    return words | {
        format_difference(metric, difference.mean_difference),
        format_interval(metric, difference.adjusted_ci_low, difference.adjusted_ci_high),
        format_p_cell(difference.p_adjusted),
        comparison.verdict(condition, metric).word.value,
    }


def sources(comparison: Comparison) -> Iterator[tuple[str, set[str]]]:
    """Yield what a row may be about, with all that it may say: a condition, a metric or a whole pair."""
    of = {(c, m): shown(comparison, c, m) for c in comparison.conditions for m in comparison.metrics}
    for condition in comparison.conditions:
        yield condition, set().union(*(of[condition, metric] for metric in comparison.metrics))
    for metric in comparison.metrics:
        yield (
            metric_info(metric).label,
            set().union(*(of[condition, metric] for condition in comparison.conditions)),
        )
    if len(comparison.conditions) == 2:
        yield "", set().union(*of.values())


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables' rows, without the headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = [number for number, line in enumerate(lines) if re.fullmatch(r"\|( *-+ *\|)+", line)]
    kept = [line for number, line in enumerate(lines) if not {number, number + 1} & {*rules}]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def is_computed(said: tuple[str, str], comparisons: list[Comparison]) -> bool:
    """Return whether the ends of an interval, without signs, are rounded from those of some difference."""
    digits = len(said[0].partition(".")[2])
    return any(
        sorted(said) == sorted(f"{abs(scale * end):.{digits}f}" for end in ends)
        for comparison in comparisons
        for one in comparison.differences
        for ends in ((one.ci_low, one.ci_high), (one.adjusted_ci_low, one.adjusted_ci_high))
        for scale in (1, 100)
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tables_and_sentences_say_what_the_scores_say(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    comparisons = judged(page, tmp_path, monkeypatch)
    about = [source for comparison in comparisons for source in sources(comparison)]
    for label, *cells in rows(text):
        named = [words for name, words in about if name == label.removesuffix(" (primary)")]
        possible = [set().union(*named)] if named else [words for _, words in about]
        told = {cell for cell in cells if cell}
        wrong = min((told - words for words in possible), key=len)
        assert told and not wrong, f"{label}: {wrong}"

    sentences = " ".join(line for line in text.splitlines() if not line.startswith("|"))
    intervals = re.findall(r"\[[-+]?([\d.]+), [-+]?([\d.]+)\]", sentences)
    assert [said for said in intervals if not is_computed(said, comparisons)] == []
    ps = {format_p_cell(p) for one in comparisons for d in one.differences for p in (d.p_value, d.p_adjusted)}
    assert {*re.findall(r"\bp (?:is|=) ([\d.]*\d)", sentences)} <= ps
