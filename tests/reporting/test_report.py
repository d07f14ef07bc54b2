import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from dropout_lab.comparison.compare import Question, compare_runs
from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.score_table import judge, read_scores
from dropout_lab.plotting import CURVE_METRICS
from dropout_lab.records import Claim
from dropout_lab.reporting.latex import to_latex
from dropout_lab.reporting.report import ReportLinks, protocol, render_report

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"""{SCRIPT} "onload="x' a & b {{{{ 7 * 7 }}}}"""
LINKS = ReportLinks(
    runs={"baseline-0-0": "http://host/#/run?a=1&b=2"},
    comparison="http://host/#/all",
    curves="http://host/#/c",
)


class Page(HTMLParser):
    """Tags and text of a page; checks that every element that is opened is closed in order."""

    VOID = frozenset({"meta", "img", "source", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attrs[name] or "" for found, attrs in self.tags if found == tag and name in attrs]


def compare(make_run, condition: str = "dropout", history=None, **question) -> Comparison:
    runs = [
        make_run(
            name,
            seed,
            test_accuracy=0.9 + shift + (0.001 * shift / 0.01) * seed,
            test_loss=0.3 - shift,
            accuracy=0.91,
            train_accuracy=0.95,
            history=history or {},
            rates=(0.5 * bool(shift),) * 3,
        )
        for name, shift in (("baseline", 0.0), (condition, 0.01))
        for seed in (0, 1, 2)
    ]
    return compare_runs(runs, Question(**question))


@pytest.fixture(scope="module")
def comparison(make_run) -> Comparison:
    claims = [
        Claim(metric="test_loss", condition="dropout", reference="baseline", expected="lower", margin=0.0)
    ]
    return compare(make_run, history=dict.fromkeys(CURVE_METRICS, (0.5, 0.6)), claims=claims)


@pytest.fixture(scope="module")
def html(comparison) -> str:
    return render_report(comparison, links=LINKS, command="dropout-lab compare")


def test_verdicts_come_first_then_results_figures_and_protocol(comparison, html):
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html)
    assert headings == [
        "Summary",
        "Results",
        "Claims and notes",
        "More figures",
        "Generalization gap",
        "Methods",
        "Protocol",
        "Runs",
    ]
    text = Page(html).text
    for verdict in comparison.verdicts:
        assert (verdict.sentence in text) == verdict.is_primary
    assert comparison.claims[0].sentence in text
    assert "+4.00 points" in text, "the noise: 0.95 - 0.91 in accuracy"
    assert "dropout-lab compare" in text


def test_it_needs_nothing_but_itself(html):
    page = Page(html)
    plots = [attrs for _, attrs in page.tags if attrs.get("class") == "plot"]
    assert len(plots) == sum(tag == "svg" for tag, _ in page.tags) == 4
    assert all(one["role"] == "img" and one["aria-label"] for one in plots)
    links = [*page.attributes("use", "href"), *page.attributes("image", "href")]
    assert all(one.startswith(("#", "data:image/png")) for one in links)
    assert not {"img", "source"} & {tag for tag, _ in page.tags}
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}


def test_only_the_script_that_sorts_tables_may_run(html):
    (policy,) = (
        one for one in Page(html).attributes("meta", "content") if one.startswith("default-src 'none'")
    )
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    found = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.endswith(f"script-src 'sha256-{found}'")


def test_it_links_into_mlflow(html):
    expected = [LINKS.comparison, LINKS.curves, LINKS.runs["baseline-0-0"]]
    assert [one for one in Page(html).attributes("a", "href") if one.startswith("http")] == expected


def test_the_scores_can_be_downloaded_and_judged(comparison, html, tmp_path):
    (source,) = (one for one in Page(html).attributes("a", "href") if one.startswith("data:"))
    kind, content = source.split(",", 1)
    assert kind == "data:text/csv;base64"
    (tmp_path / "scores.csv").write_bytes(base64.b64decode(content))
    again = judge(read_scores(tmp_path / "scores.csv"))
    difference = again.difference("dropout", "test_accuracy")
    assert difference.mean_difference == comparison.difference("dropout", "test_accuracy").mean_difference


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000"])
def test_links_that_are_dead_elsewhere_are_left_out(comparison, host):
    links = ReportLinks(runs={"baseline-0-0": f"http://{host}/#/run"}, comparison=f"http://{host}/#/all")
    assert host not in render_report(comparison, links=links)


def test_the_contents_lead_to_sections_and_tables_are_numbered(html):
    page = Page(html)
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    targets = {one[1:] for one in page.attributes("a", "href") if one.startswith("#")}
    assert targets == {"results", "notes", "figures", "gap", "methods", "protocol", "runs"}
    assert targets <= ids
    numbers = re.findall(r"Table (\d+)\.", page.text)
    assert numbers == [str(one + 1) for one in range(html.count("<caption>"))]


def test_names_are_escaped(make_run):
    comparison = replace(compare(make_run, HOSTILE), experiment=HOSTILE)
    html = render_report(comparison)
    page = Page(html)
    assert SCRIPT not in html
    assert HOSTILE in page.text
    assert [tag for tag, _ in page.tags].count("script") == 1, "the page's own"
    assert not any(attribute.startswith("on") for _, attrs in page.tags for attribute in attrs)


def test_findings_and_exclusions_are_told(make_run):
    finished = compare(make_run).runs
    failed = replace(finished[0], status="FAILED", run_id="failed0000", run_name="the failed one")
    slow = [replace(r, device_name="slow" if r.condition == "dropout" else "fast") for r in finished]
    comparison = compare_runs([*slow, failed])
    page = Page(render_report(comparison))
    assert comparison.findings
    assert comparison.exclusions
    for finding in comparison.findings:
        assert finding.sentence in page.text
    for exclusion in comparison.exclusions:
        assert exclusion.reason in page.text
    assert "the failed one" in page.text
    assert "Nothing else was found to differ." not in page.text


def test_one_condition_alone_is_a_report_without_verdicts(make_run):
    page = Page(render_report(compare_runs([make_run("baseline", 0, test_accuracy=0.9)])))
    assert "No condition was compared." in page.text
    assert "90.00%" in page.text


def test_the_description_of_the_spec_is_shown_where_all_runs_have_it(make_run, comparison, html):
    runs = [replace(run, description="Does it\n*help*?") for run in comparison.runs]
    assert "Does it *help*?" in Page(render_report(compare_runs(runs))).text
    assert "help" not in Page(render_report(compare_runs([*runs[1:], comparison.runs[0]]))).text


def test_bibtex_and_latex_can_be_copied(comparison, html):
    text = Page(html).text
    assert "@article{schuirmann1987," in text
    assert to_latex(comparison) in text


def test_the_same_comparison_gives_the_same_page(comparison, html):
    assert render_report(comparison, links=LINKS, command="dropout-lab compare") == html


def test_protocol_tells_what_is_shared_from_what_differs(make_run):
    runs = [make_run("baseline", seed) for seed in (0, 1, 2)] + [make_run("dropout", 0, git_dirty=True)]
    facts = protocol(runs, ["baseline", "dropout"])
    assert facts.shared["training.epochs"] == "10"
    assert facts.shared["keras"] == runs[0].versions["keras"]
    assert facts.shared["data.num_train"] == "not set"
    assert facts.differing["model.dropout.dense"] == ("0.0", "0.5")
    assert facts.differing["seeds"] == ("0-2", "0")
    assert facts.differing["git commit"] == ("c0ffee", "c0ffee with uncommitted changes")
    assert not set(facts.shared) & set(facts.differing)
    groups = {heading: dict(own) for heading, own in facts.groups()}
    assert list(groups) == ["Model", "Training", "Data", "Runs and environment"]
    assert groups["Training"]["training.epochs"] == "10"
    assert groups["Runs and environment"]["keras"] == runs[0].versions["keras"]
    assert "data.num_train" not in groups["Data"], "it is not set"
