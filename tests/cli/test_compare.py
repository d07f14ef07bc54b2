"""`compare` on a real MLflow store, with runs that were logged, not trained."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.records import Claim, DataFingerprint, EpochMetrics, RunStart, RunStatus, claims_fingerprint
from dropout_lab.tracking import connect, read_runs

RATES = {"baseline": 0.0, "dropout": 0.5, "heavy": 0.9}
NUM_SEEDS = 4
SPEC_TEXT = """
name: study
conditions: {baseline: {}, dropout: {}}
claims:
  - {metric: generalization_gap, condition: dropout, reference: baseline, expected: lower, margin: 0.01}
"""
CLAIM = Claim(
    metric="generalization_gap", condition="dropout", reference="baseline", expected="lower", margin=0.01
)


def figures(condition: str, seed: int) -> dict[str, float]:
    """Dropout is better in all but the loss, where it is a little worse; heavy differs by noise only."""
    noise = ((seed * 7 + len(condition) * 3) % 5 - 2) / 10_000
    gain = 0.02 if condition == "dropout" else 0.0
    return {
        "test_accuracy": 0.9 + gain + noise,
        "test_loss": 0.3 + gain + 2 * noise,
        "train_accuracy": 0.95,
        "train_loss": 0.15,
        "generalization_gap": 0.05 - gain - noise,
        "train_seconds": 20.0,
    }


def log_run(experiment: str, condition: str, seed: int, **changes: Any) -> str:
    """Log a run; `status`, `spec` and `tags` differ from the others as asked."""
    tracker = connect(experiment)
    rate = str(RATES[condition])
    start = RunStart(
        run_name=f"{condition}-seed{seed}",
        description="",
        condition=condition,
        seed=seed,
        spec={
            **{f"model.dropout.{site}": rate for site in ("conv1", "conv2", "dense")},
            "training.epochs": "2",
            "data.validation": "test",
            **changes.get("spec", {}),
        },
        tags={
            "dropout_lab.version": "0.1.0",
            "dropout_lab.initial_weights": f"weights {seed}",
            "dropout_lab.batch_order": f"order {seed}",
            "dropout_lab.data_digest": "images",
            "dropout_lab.claims_fingerprint": claims_fingerprint([CLAIM]),
            **changes.get("tags", {}),
        },
        data=DataFingerprint(
            folder="", checksums={}, num_train=10, num_validation=5, num_test=40, digest="0" * 36
        ),
        texts={"spec/given.yaml": SPEC_TEXT},
    )
    epochs = [
        EpochMetrics(
            epoch=epoch,
            loss=0.5,
            accuracy=0.85,
            val_loss=0.4,
            val_accuracy=0.88,
            epoch_seconds=2.0,
            end_time_ms=epoch,
        )
        for epoch in (1, 2)
    ]
    run_id = tracker.start_run(start)
    tracker.log_epochs(run_id, epochs)
    folder = Path("artifacts", run_id)
    (folder / "predictions").mkdir(parents=True)
    rng = np.random.default_rng(seed + len(condition))
    labels = np.arange(40, dtype=np.uint8) % 10
    probs = rng.dirichlet(np.ones(10), 40) + np.eye(10)[labels]
    probs = (probs / probs.sum(1, keepdims=True)).astype(np.float16)
    np.savez_compressed(folder / "predictions" / "test_probs.npz", probs=probs, labels=labels)
    tracker.log_result(run_id, figures(condition, seed), step=2, timestamp_ms=2, folder=folder)
    tracker.end_run(run_id, changes.get("status", RunStatus.FINISHED))
    return run_id


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with four experiments: a sound study, a confounded one, one of single runs, one of one run."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for condition in ("baseline", "dropout"):
            for seed in range(NUM_SEEDS):
                log_run("confounded", condition, seed, spec={"training.epochs": str(2 + len(condition))})
            log_run("singles", condition, 0)
        for condition in RATES:
            for seed in range(NUM_SEEDS):
                log_run("study", condition, seed)
        log_run("study", "heavy", 9, status=RunStatus.FAILED)
        yield folder


Compare = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Run the command line; return its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["dropout-lab", "compare", *arguments])
        code = command_line._main()
        return code, *capsys.readouterr()

    return run


def test_the_latest_experiment_is_compared_verdict_first(compare: Compare) -> None:
    code, out, _ = compare()
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "study: dropout, heavy vs baseline · 4 paired seeds · 95% CI"
    assert re.search(r"BETTER  dropout vs baseline, test accuracy: \+[12]\.\d\d points", lines[2])
    assert re.search(r"heavy vs baseline, test accuracy", lines[3])
    accuracy = [figures("baseline", seed)["test_accuracy"] for seed in range(NUM_SEEDS)]
    mean_sd = f"{100 * np.mean(accuracy):.2f} ± {100 * np.std(accuracy, ddof=1):.2f}%"
    assert re.search(rf"test accuracy \(primary, .*\)\nbaseline +{re.escape(mean_sd)} +reference", out)
    assert "Design: primary metric test accuracy; number of seeds not stated beforehand;" in out
    assert "SUPPORTED  generalization gap of dropout is lower than that of baseline by at least 1.00" in out
    assert "heavy, seed 9 (1 run): failed." in out
    assert "Runs of heavy failed at seeds 9" in out
    assert "The test set was used for validation." in out
    assert "Training set with dropout on" not in out
    assert re.search(r"baseline +accuracy +85.00% +95.00% +90.0", compare("--verbose")[1])
    assert compare("--quiet")[1].splitlines() == lines[2:4]


def test_markdown_holds_the_same_as_the_tables(compare: Compare) -> None:
    code, out, _ = compare("study", "--format", "markdown")
    assert code == 0
    for part in (
        "### study",
        "**Verdict**",
        "**Claims**",
        "**Cautions**",
        "**Notes**",
        "**Methods**",
        "doi:",
    ):
        assert part in out
    tables = [block for block in out.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for table in tables:
        assert len({line.count(" | ") for line in table.splitlines()}) == 1


def test_secondary_metrics_are_labeled_in_every_format(compare: Compare) -> None:
    for form, label in {
        "table": "(secondary", "markdown": "Secondary metrics", "latex": "Secondary metrics",
        "csv": ",secondary,", "json": '"is_primary": false',
    }.items():  # fmt: skip
        assert label in compare("study", "--format", form)[1], form


def test_several_experiments_are_compared_each_by_itself(compare: Compare, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: any\nexperiment: singles\n")
    code, out, _ = compare("study", str(spec), "--format", "json")
    assert code == 0
    assert [one["experiment"] for one in json.loads(out)] == ["study", "singles"]
    assert compare("study", "singles", "-q")[1].count("test accuracy: ") >= 1
    assert compare("study", "singles", "--format", "csv")[0] == 2
    assert compare("study", "singles", "--report", str(tmp_path / "report.html"))[0] == 2


def test_latex_is_a_booktabs_table_without_special_characters(compare: Compare) -> None:
    code, out, _ = compare("study", "--format", "latex")
    assert code == 0
    assert out.count(r"\toprule") == out.count(r"\bottomrule") == out.count(r"\end{table}") == 2
    body = [line for line in out.splitlines() if not line.startswith("%")]
    assert not any(re.search(r"(?<!\\)[%#&_](?!.*\\\\$)", line) for line in body if " & " not in line)
    assert out.isascii()


def test_a_condition_alone_keeps_the_correction(compare: Compare) -> None:
    whole = json.loads(compare("study", "--format", "json")[1])
    alone = json.loads(compare("study", "--condition", "heavy", "--format", "json")[1])
    assert alone["conditions"] == ["baseline", "heavy"]
    wanted = [one for one in whole["differences"] if one["condition"] == "heavy"]
    assert alone["differences"] == wanted
    assert any("not shown" in note for note in alone["notes"])


def test_a_metric_alone_keeps_the_primary_one_and_the_correction(compare: Compare) -> None:
    whole = json.loads(compare("study", "--format", "json")[1])
    alone = json.loads(compare("study", "--metric", "test_loss", "--primary", "test_accuracy",
                               "--format", "json")[1])  # fmt: skip
    assert alone["metrics"] == ["test_accuracy", "test_loss"]
    wanted = [one for one in whole["differences"] if one["metric"] in alone["metrics"]]
    assert alone["differences"] == wanted


def test_a_metric_with_dropout_on_is_warned_of(compare: Compare) -> None:
    code, out, _ = compare("study", "--metric", "accuracy")
    assert code == 0
    assert "Warning: accuracy of the last training epoch was measured with dropout on" in out


def test_an_ensemble_is_a_line_of_its_own(compare: Compare) -> None:
    code, out, _ = compare("study", "--ensemble", "--format", "json")
    assert code == 0
    found = json.loads(out)["ensembles"]
    assert [(one["condition"], one["num_seeds"]) for one in found] == [(name, NUM_SEEDS) for name in RATES]
    assert "baseline, ensemble of 4 seeds: test accuracy" in compare("study", "--ensemble")[1]


def test_a_confidence_level_is_shown_in_full(compare: Compare) -> None:
    assert "99.5% CI" in compare("study", "--confidence", "0.995")[1]


def test_csv_is_one_row_a_metric_and_condition_in_fractions(compare: Compare) -> None:
    code, out, err = compare("study", "--format", "csv", "--metric", "test_accuracy", "--metric", "test_loss")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [(row["metric"], row["condition"]) for row in rows] == [
        (metric, condition) for metric in ("test_accuracy", "test_loss") for condition in RATES
    ]
    expected = [
        figures("dropout", seed)["test_loss"] - figures("baseline", seed)["test_loss"] for seed in range(4)
    ]
    assert float(rows[4]["mean_difference"]) == pytest.approx(np.mean(expected))
    assert (rows[4]["verdict"], rows[3]["verdict"], rows[3]["mean_difference"]) == ("worse", "", "")
    assert "Cautions: Runs of heavy failed" in err
    assert [row["role"] for row in rows] == ["primary"] * 3 + ["secondary"] * 3


def test_json_holds_everything(compare: Compare) -> None:
    code, out, _ = compare("study", "--format", "json", "--reference", "dropout", "--condition", "heavy")
    found = json.loads(out)
    assert code == 0
    assert found["conditions"] == ["dropout", "heavy"]
    assert found["verdicts"][0]["word"] == "worse"
    assert len(found["run_ids"]) == 2 * NUM_SEEDS
    assert found["summaries"][0]["values"] == {
        str(seed): figures("dropout", seed)["test_accuracy"] for seed in range(NUM_SEEDS)
    }
    assert found["gaps"][0]["gap"] == pytest.approx(0.95 - found["summaries"][0]["mean"])
    assert [one["reason"] for one in found["exclusions"]] == ["failed"]
    assert [one["kind"] for one in found["findings"]] == ["caution"]


def test_a_confounded_comparison_ends_with_2_unless_allowed(compare: Compare) -> None:
    code, out, err = compare("confounded")
    assert (code, out) == (2, "")
    assert "- training.epochs differs: 10 in baseline; 9 in dropout." in err
    for form in ("table", "markdown", "json"):
        code, out, _ = compare("confounded", "--allow", "training.epochs", "--format", form)
        assert code == 0
        assert "training.epochs differs: 10 in baseline; 9 in dropout." in out
    code, _, err = compare("confounded", "--varying", "training.epochs")
    assert code == 2
    assert "model.dropout.conv1 differs" in err
    assert "training.epochs differs" not in err


def test_single_runs_are_compared_over_the_test_images(compare: Compare) -> None:
    code, out, _ = compare("singles", "--format", "json")
    assert code == 0
    (single,) = json.loads(out)["single_runs"]
    assert single["num_examples"] == 40
    assert "not the methods" in single["sentence"]
    assert "not the methods" in " ".join(compare("singles")[1].split())


def test_claims_decide_the_exit_code_only_when_checked(compare: Compare, tmp_path: Path) -> None:
    assert compare("study", "--check")[0] == 0
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC_TEXT.replace("lower", "higher"))
    code, out, _ = compare("study", "--claims", str(spec))
    assert code == 0
    assert "REFUTED  generalization gap of dropout is higher" in out
    code, _, err = compare("study", "--claims", str(spec), "--check")
    assert code == 1
    assert "1 of 1 claims not supported" in err
    # Supported, but it is not the claim that was stated before the runs.
    spec.write_text(SPEC_TEXT.replace("0.01", "0.005"))
    code, _, err = compare("study", "--claims", str(spec), "--check")
    assert code == 1
    assert "was added or changed after the runs" in err
    spec.write_text("name: study\n")
    code, _, err = compare("study", "--claims", str(spec), "--check")
    assert code == 2
    assert "no claims" in err


@pytest.mark.parametrize("method", ["bootstrap", "sign-flip", "wilcoxon"])
def test_other_methods_say_what_they_are(compare: Compare, method: str) -> None:
    code, out, _ = compare("study", "--method", method, "--format", "json", "--confidence", "0.9")
    found = json.loads(out)
    assert code == 0
    assert found["method"] == method
    assert found["differences"][0]["confidence"] == 0.9
    assert found["differences"][0]["method"] != "paired t"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stdy"], "did you mean 'study'"),
        (["study", "--metric", "test_acuracy"], "did you mean 'test_accuracy'"),
        (["study", "--condition", "dropuot"], "did you mean 'dropout'"),
        (["study", "--reference", "basline"], "did you mean 'baseline'"),
        (["study", "--allow", "training.epoch"], "did you mean 'training.epochs'"),
        (["study", "--margin", "much"], "--margin: not a fraction"),
        (["study", "--margin", "nan"], "--margin: not a fraction"),
        (["study", "--margin", "-1"], "--margin: not a fraction"),
        (["study", "--margin", "=0.1"], "--margin: not a fraction"),
        (["study", "--margin", "test_los=0.1"], "did you mean 'test_loss'"),
        (["study", "--claims", "missing.yaml"], "missing.yaml"),
        (["study", "--method", "magic"], "'magic' is not one of"),
        (["study", "--confidence", "2"], "Invalid value for '--confidence'"),
        (
            ["study", "--report", "missing/folder/report.html"],
            "--report: directory missing/folder does not exist",
        ),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_says_so(
    compare: Compare, arguments: list[str], message: str
) -> None:
    code, _, err = compare(*arguments)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_a_margin_is_of_the_primary_metric_or_of_the_one_named(compare: Compare) -> None:
    code, out, _ = compare("study", "--margin", "0.05", "--margin", "test_loss=0.07", "--format", "json")
    margins = {one["metric"]: one["margin"] for one in json.loads(out)["differences"]}
    assert code == 0
    assert margins == {"test_accuracy": 0.05, "test_loss": 0.07, "generalization_gap": 0.002}


def test_plots_and_report_are_written_and_logged_to_mlflow(compare: Compare, tmp_path: Path) -> None:
    report, plots = tmp_path / "report.html", tmp_path / "plots"
    before = {run.run_id for run in read_runs("study")}
    chosen = ("study", "--condition", "dropout", "--metric", "test_accuracy")
    code, _, err = compare(*chosen, "--report", str(report), "--plots", str(plots), "--log")
    assert code == 0
    page = report.read_text()
    assert "dropout is better than baseline" in page
    assert "dropout-lab show baseline-seed" in page, "in place of a link that is dead elsewhere"
    assert {"forest.png", "forest.svg", "learning_curves.png"} <= {path.name for path in plots.iterdir()}
    run_id = re.findall(r"logged to MLflow: run (\w{32})", err)[0]
    client = connect("study").client
    kept = client.download_artifacts(run_id, "report.html")
    assert Path(kept).read_text() == page
    assert {run.run_id for run in read_runs("study")} == before


def test_hostile_names_stay_text(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "=cmd|' /C'!A0 [red]x\x1b[31m<script>"
    monkeypatch.setitem(RATES, name, 0.3)
    for condition in ("baseline", name):
        for seed in (0, 1):
            log_run("hostile", condition, seed)
    arguments = ("hostile", "--metric", "test_accuracy")
    _, out, _ = compare(*arguments)
    assert "\x1b[31m" not in out
    assert "[red]x" in out
    _, out, _ = compare(*arguments, "--format", "csv")
    assert list(csv.reader(io.StringIO(out)))[2][0] == f"'{name}"
    _, out, _ = compare(*arguments, "--format", "markdown")
    assert r"=cmd\|' /C'!A0 \[red\]x\x1b\[31m\<script\>" in out.replace("\\\\x1b", "\\x1b")
    _, out, _ = compare(*arguments, "--format", "json")
    assert json.loads(out)["conditions"][1] == name
