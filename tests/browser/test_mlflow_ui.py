"""What a bare `mlflow ui` shows of trained runs, at the addresses that the command line prints."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from dropout_lab.records import RunRecord
from dropout_lab.tracking import connect, links, read_runs, schema
from dropout_lab.tracking.studies import find_study

pytestmark = pytest.mark.browser

SECONDS = 60
LINES = ".js-plotly-plot .scatterlayer path.js-line"
"""A curve that Plotly, which MLflow's page draws with, has drawn."""
LINES_OR_BARS = f"{LINES}, .js-plotly-plot .barlayer path"


@dataclass(frozen=True)
class Page:
    """MLflow's page of a folder with trained runs."""

    base: str
    runs: list[RunRecord]
    model_id: str


@pytest.fixture(scope="module")
def page(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, make_port: Callable[[], int]
) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("lab")
    spec = repository / "experiments" / "smoke.yaml"
    command = [sys.executable, "-m", "dropout_lab", "run", str(spec), "--seeds", "1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runs = read_runs()
        client = connect(runs[0].experiment_name).client
        outputs = client.get_run(runs[0].run_id).outputs
        # The table folds the runs of a study; here they stand by themselves.
        client.delete_run(find_study(client, runs[0].experiment_id))
        for run in runs:
            client.delete_tag(run.run_id, schema.PARENT)
    port = make_port()
    base = f"http://127.0.0.1:{port}"
    # No store is named: it has to find the one in the folder by itself. The rest only saves processes.
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1"],
        cwd=folder,
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=(folder / "ui.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(f"{base}/health")
        yield Page(base, runs, outputs.model_outputs[0].model_id)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait_for(address: str) -> None:
    for _ in range(10 * SECONDS):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture
def visit(
    chromium: webdriver.Chrome, screenshots: Path, failures: Callable[[], list[str]]
) -> Callable[..., str]:
    """Opens an address, waits for texts to be seen, keeps a screenshot, and returns all that is seen."""

    def open_and_wait(name: str, address: str, *expected: str, selector: str = "body") -> str:
        chromium.get("about:blank")  # the page would not load again where only the fragment changes
        failures()
        chromium.get(address)
        body = ""

        def seen(driver: webdriver.Chrome) -> bool:
            nonlocal body
            body = driver.find_element(By.TAG_NAME, "body").text
            return all(text in body for text in expected) and bool(
                driver.find_elements(By.CSS_SELECTOR, selector)
            )

        try:
            WebDriverWait(chromium, SECONDS).until(seen)
        except Exception as error:
            missing = [text for text in expected if text not in body]
            raise AssertionError(f"{address}: {missing} or {selector} not seen in {body}") from error
        finally:
            chromium.save_screenshot(str(screenshots / f"mlflow_{name}.png"))
        assert failures() == []
        return body

    return open_and_wait


@pytest.fixture
def failures(chromium: webdriver.Chrome) -> Callable[[], list[str]]:
    """Returns the requests that failed since the last call."""

    def since_last() -> list[str]:
        addresses: dict[str, str] = {}
        failed = []
        for entry in chromium.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            method, details = message["method"], message["params"]
            if method == "Network.requestWillBeSent":
                addresses[details["requestId"]] = details["request"]["url"]
            elif method == "Network.responseReceived" and details["response"]["status"] >= 400:
                failed.append(f"{details['response']['status']} {details['response']['url']}")
            elif method == "Network.loadingFailed" and not details.get("canceled"):
                failed.append(f"{details['errorText']} {addresses.get(details['requestId'])}")
        # MLflow's page asks who is logged in, also of a server without users.
        return [one for one in failed if not one.endswith("/users/current")]

    return since_last


def test_table_of_runs(page, visit):
    experiment_id = page.runs[0].experiment_id
    names = [run.run_name for run in page.runs]
    body = visit(
        "runs", links.experiment_address(page.base, experiment_id), "smoke", *names, "2 matching runs"
    )
    assert "fashion-mnist_train" in body


def test_the_results_by_condition(page, visit):
    address = links.view_address(page.base, page.runs[0].experiment_id)
    groups = [f"Group: {run.condition}" for run in page.runs]
    visit("view", address, "Results by condition", *groups, "test_accuracy", page.runs[0].description)
    charts = (f"{address}&compareRunsMode=CHART", "Results", "Curves by epoch", "test_loss")
    visit("view_charts", *charts, selector=".js-plotly-plot .barlayer path")


def test_a_run_with_its_settings_figures_and_curves(page, visit):
    run = page.runs[0]
    address = links.run_address(page.base, run.experiment_id, run.run_id)
    described = (run.description, f"{run.condition}, seed 0: test accuracy")
    visit("run", address, run.run_name, run.run_id, "Finished", *described, "fashion-mnist_train")
    visit("run_model", address, "Logged models", "dropout_lab.condition")
    path, _, query = address.partition("?")
    visit(
        "curves",
        f"{path}/model-metrics?{query}",
        "Model metrics",
        f"{run.run_name} (accuracy)",
        "Step",
        selector=LINES,
    )
    # A run of seconds may have one sample alone, which MLflow's page draws as a bar.
    visit("system", f"{path}/system-metrics?{query}", "cpu_utilization_percentage", selector=LINES_OR_BARS)


def test_a_runs_artifacts(page, visit, chromium):
    run = page.runs[0]
    path, _, query = links.run_address(page.base, run.experiment_id, run.run_id).partition("?")
    expected = ("plots", "predictions", "spec", "evaluation.json", "model_summary.txt")
    visit("artifacts", f"{path}/artifacts?{query}", *expected)
    summary = visit(
        "artifact_text", f"{path}/artifacts/model_summary.txt?{query}", "model_summary.txt", "421,642"
    )
    assert "dense" in summary
    visit("artifact_plot", f"{path}/artifacts/plots/learning_curves.png?{query}", "learning_curves.png")
    WebDriverWait(chromium, SECONDS).until(
        lambda driver: driver.execute_script(
            "return [...document.images].some(image => image.naturalWidth > 300)"
        )
    )


def test_the_model(page, visit):
    run = page.runs[0]
    address = links.model_address(page.base, run.experiment_id, page.model_id)
    visit(
        "model",
        address,
        page.model_id,
        "Ready",
        run.run_name,
        "test_accuracy",
        f"{run.metrics['test_accuracy']:g}",
    )


def test_comparison_and_curves_of_both_runs(page, visit):
    experiment_id, run_ids = page.runs[0].experiment_id, [run.run_id for run in page.runs]
    comparison = links.comparison_address(page.base, [experiment_id], run_ids)
    visit("comparison", comparison, "Comparing 2 Runs", *run_ids, "model.dropout.dense")
    curves = links.curves_address(page.base, experiment_id, run_ids)
    names = [f"{run.run_name} (accuracy)" for run in page.runs]
    visit("both_curves", curves, "2 matching runs", *names, selector=LINES)
