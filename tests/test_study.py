"""The files of the published study agree with each other: scores, comparison, report, tables and README."""

import base64
import csv
import io
import re
from pathlib import Path

import pytest

from dropout_lab.comparison.question import Question
from dropout_lab.comparison.score_table import judge, read_scores

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "docs" / "study"
ROUNDED = 5e-7
"""The scores in the repository have six decimals."""


def words_of(path: Path) -> str:
    text = re.sub(r"<[^>]+>|^>", " ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return " ".join(text.replace("\\", "").split())


@pytest.fixture(scope="module")
def comparison():
    return judge(read_scores(STUDY / "scores.csv"), Question(primary="test_accuracy", margins={}))


def test_the_report_has_the_scores(comparison):
    (source,) = re.findall(r'href="data:text/csv;base64,([^"]+)"', (STUDY / "report.html").read_text())
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(source).decode())))
    assert len(rows) == len(comparison.runs) == 20
    scores = {(run.condition, run.seed): run.metrics for run in comparison.runs}
    for row in rows:
        own = scores[row["condition"], int(row["seed"])]
        assert {name: float(row[name]) for name in own} == pytest.approx(dict(own), abs=ROUNDED)


def test_the_table_has_the_differences_of_the_scores(comparison):
    with (STUDY / "comparison.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["condition"] != row["reference"]]
    assert {row["metric"] for row in rows} == set(comparison.metrics)
    for row in rows:
        one = comparison.difference(row["condition"], row["metric"])
        for name in ("mean_difference", "adjusted_ci_low", "adjusted_ci_high"):
            assert float(row[name]) == pytest.approx(getattr(one, name), abs=4 * ROUNDED), (
                row["metric"],
                name,
            )
        assert float(row["p_adjusted"]) == pytest.approx(one.p_adjusted, abs=1e-3)


@pytest.mark.parametrize("name", ["docs/study/report.html", "docs/study/comparison.md", "README.md"])
def test_every_page_has_the_verdict_of_the_scores(comparison, name):
    (verdict,) = (one for one in comparison.verdicts if one.is_primary)
    assert verdict.sentence.startswith("dropout is worse than baseline in test accuracy: -0.29 points")
    said = verdict.statement if name.endswith("comparison.md") else verdict.sentence
    assert " ".join(said.split()) in words_of(ROOT / name)


@pytest.mark.parametrize("name", ["docs/study/report.html", "docs/study/comparison.md", "README.md"])
def test_every_page_tells_on_what_the_runs_were_trained(name):
    assert "NVIDIA H100" in words_of(ROOT / name)


def test_the_report_loads_nothing_and_is_small():
    text = (STUDY / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text)
    assert text.count('<img alt="" src="data:image/png') == 3, "the images that flip"
