"""`judge` on every kind of table, and its result in every form."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dropout_lab as dl
from dropout_lab.reporting.data import json_value

ROWS = [
    {"condition": name, "seed": seed, "test_accuracy": 0.9 + effect + noise}
    for name, effect in (("baseline", 0.0), ("dropout", 0.02))
    for seed, noise in enumerate(np.random.default_rng(len(name)).normal(0, 0.002, 5).tolist())
]


def test_every_kind_of_table_and_the_command_line_agree_to_the_last_digit(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "scores.csv", index=False)
    (tmp_path / "scores.json").write_text(json.dumps(ROWS))
    columns = {name: np.asarray(frame[name]) for name in frame}
    tables = (frame, ROWS, columns, tmp_path / "scores.csv", str(tmp_path / "scores.json"))
    found = [json_value(dl.judge(table, margins=0.003).comparison) for table in tables]
    command = [sys.executable, "-m", "dropout_lab", "judge", "scores.csv", "--margin", "0.003"]
    printed = subprocess.run([*command, "--format", "json"], cwd=tmp_path, capture_output=True, check=True)
    expected = json.loads(printed.stdout)
    assert expected["verdicts"][0]["word"] == "better"
    for one in found:
        assert one["differences"][0]["mean_difference"] == expected["differences"][0]["mean_difference"]
        assert one["differences"][0]["p_value"] == expected["differences"][0]["p_value"]
        assert one["verdicts"] == expected["verdicts"]


def test_a_result_in_every_form(tmp_path: Path) -> None:
    result = dl.judge(ROWS)
    frame = result.to_frame().set_index("condition")
    means = pd.DataFrame(ROWS).groupby("condition")["test_accuracy"].mean()
    expected = means["dropout"] - means["baseline"]
    assert frame.loc["dropout", "mean_difference"] == pytest.approx(expected)
    assert frame.loc["dropout", "verdict"] == "better"
    assert "better: dropout vs baseline" in repr(result)
    assert "better: dropout vs baseline" in result.to_markdown()
    assert "\\toprule" in result.to_latex()
    assert result.plot().axes
    assert "dropout is better" in result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    hostile = dl.judge([{**row, "condition": f"<i>{row['condition']}"} for row in ROWS])
    assert "<i>" not in hostile._repr_html_()
    assert "<table" in hostile._repr_html_()


def test_missing_cells_of_a_frame_are_excluded() -> None:
    frame = pd.DataFrame([*ROWS, {"condition": "dropout", "seed": 9, "test_accuracy": None}])
    nullable = frame.convert_dtypes()
    for one in (frame, nullable):
        assert dl.judge(one).comparison.difference("dropout", "test_accuracy").n == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "wilcoxn"}, "did you mean 'wilcoxon'"),
        ({"confidence": 1.0}, "allowed: 0.5 to 0.9999"),
        ({"margins": -0.1}, "not a fraction above 0"),
        ({"margins": {"test_accuracy": 0}}, "margins\\['test_accuracy'\\]"),
        ({"reference": "basline"}, "did you mean 'baseline'"),
    ],
)
def test_wrong_arguments_are_errors_of_the_library(options: dict[str, object], message: str) -> None:
    with pytest.raises(dl.DropoutLabError, match=message):
        dl.judge(ROWS, **options)


def test_wrong_tables_plots_and_paths_are_errors_of_the_library(tmp_path: Path) -> None:
    for table in ([], {"condition": ["a"], "seed": [0, 1]}, [1, 2], tmp_path / "missing.csv"):
        with pytest.raises(dl.DropoutLabError):
            dl.judge(table)
    with pytest.raises(dl.DropoutLabError, match="did you mean 'forest'"):
        dl.judge(ROWS).plot("forrest")
    with pytest.raises(dl.DropoutLabError, match="cannot write"):
        dl.judge(ROWS).report(tmp_path / "missing" / "report.html")


def test_judge_on_another_thread() -> None:
    words = []
    thread = threading.Thread(target=lambda: words.append(dl.judge(ROWS).verdicts[0].word.value))
    thread.start()
    thread.join()
    assert words == ["better"]
