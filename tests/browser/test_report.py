"""The report as a reader's browser shows it: on a phone and on a desktop, light and dark."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.plotting import CURVE_METRICS
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.reporting.report import ReportLinks, render_report

pytestmark = pytest.mark.browser

CONDITIONS = {"baseline": 0.0, "low": 0.2, "<script>alert('name')</script>": 0.5}


def make_run(condition: str, seed: int) -> RunRecord:
    rate = CONDITIONS[condition]
    rng = np.random.default_rng([seed, int(100 * rate)])
    accuracy = 0.91 + rate / 100 + rng.normal(0, 0.001)
    curve = tuple((1 - 0.6 / np.arange(1, 6)).tolist())
    return RunRecord(
        run_id=f"{seed}{int(100 * rate):031x}",
        run_name=f"{condition} seed {seed}",
        experiment_id="1",
        experiment_name="study",
        status=RunStatus.FINISHED,
        condition=condition,
        seed=seed,
        start_time=datetime(2026, 11, 1, tzinfo=UTC),
        initial_weights=str(seed),
        batch_order=str(seed),
        final_weights=f"{seed} {rate}",
        device_name="slow" if rate else "fast",
        git_commit="c0ffee",
        versions={"keras": "3.15.1"},
        spec={
            **{f"model.dropout.{site}": str(rate) for site in ("conv1", "conv2", "dense")},
            "data.validation": "test",
        },
        metrics={
            "accuracy": accuracy,
            "train_accuracy": accuracy + 0.03,
            "test_accuracy": accuracy,
            "test_loss": 1 - accuracy,
            **{f"test_accuracy_class_{number}": accuracy for number in range(10)},
        },
        history=dict.fromkeys(CURVE_METRICS, curve),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = [make_run(condition, seed) for condition in CONDITIONS for seed in range(3)]
    probs = np.random.default_rng(0).dirichlet(np.full(10, 0.2), size=300).astype(np.float32)
    predictions = {run.run_id: (probs, probs.argmax(axis=1).astype(np.uint8)) for run in runs}
    links = ReportLinks(
        runs={run.run_id: f"http://127.0.0.1:5000/#/{run.run_id}" for run in runs},
        comparison="http://127.0.0.1:5000/#/compare-runs",
        curves="http://127.0.0.1:5000/#/experiments/1",
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(compare_runs(runs), predictions=predictions, links=links), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_the_report_in_a_browser(chromium, report, axe, show, width, scheme):
    show(width, scheme)
    chromium.get_log("performance")
    chromium.get(report.as_uri())

    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    requested = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert report.as_uri() in requested
    assert [url[:80] for url in requested if not url.startswith(("file:", "data:"))] == []
    assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []

    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    backgrounds = chromium.execute_script(
        "return [...document.querySelectorAll('.plot svg')].map(plot => "
        "[plot.getBoundingClientRect().width > 200, getComputedStyle(plot.querySelector('path')).fill])"
    )
    shown = "rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 25, 29)"
    assert backgrounds == [[True, shown]] * 9

    assert axe.violations(chromium) == []


def test_every_verdict_is_legible_in_print(chromium, report):
    chromium.get(report.as_uri())
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    backgrounds = chromium.execute_script(
        "return ['better', 'worse', 'undecided'].map(word => {"
        " const badge = document.querySelector('.badge'); badge.className = 'badge ' + word;"
        " return getComputedStyle(badge).backgroundColor })"
    )
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert backgrounds == ["rgba(0, 0, 0, 0)"] * 3


def test_a_click_on_a_heading_sorts_its_table(chromium, report):
    chromium.get(report.as_uri())

    def seeds_after_click() -> list[str]:
        return chromium.execute_script(
            "const table = [...document.querySelectorAll('table')].at(-1);"
            "const heading = [...table.tHead.rows[0].cells].find(one => one.textContent === 'Seed');"
            "heading.querySelector('button').click();"
            "return [...table.tBodies[0].rows].map(row => row.cells[heading.cellIndex].textContent)"
        )

    in_order = [seed for seed in "012" for _ in CONDITIONS]
    clicked = [seeds_after_click() for _ in range(3)]
    assert clicked == [in_order, in_order[::-1], in_order]


def test_a_mark_shows_its_value_under_the_pointer(chromium, report):
    chromium.get(report.as_uri())
    titles = chromium.execute_script(
        "return [...document.querySelectorAll('.plot use > title')].map(one => one.textContent)"
    )
    assert any(title.startswith("low, seed 2: ") for title in titles)
