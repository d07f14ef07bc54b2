"""The Python API: its names, and `judge` on every kind of table."""

import doctest
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dropout_lab as dl
from dropout_lab import api
from dropout_lab.reporting.data import json_value

ROWS = [
    {"condition": name, "seed": seed, "test_accuracy": 0.9 + effect + noise}
    for name, effect in (("baseline", 0.0), ("dropout", 0.02))
    for seed, noise in enumerate(np.random.default_rng(len(name)).normal(0, 0.002, 5).tolist())
]


def test_importing_loads_nothing_heavy_and_changes_no_variable() -> None:
    code = """
import os, sys
before = dict(os.environ)
import dropout_lab
heavy = {"tensorflow", "keras", "mlflow", "pandas", "matplotlib", "scipy", "numpy", "pydantic", "yaml"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert dict(os.environ) == before
assert set(dropout_lab.__all__) <= set(dir(dropout_lab))
for name in dropout_lab.__all__:
    getattr(dropout_lab, name)
assert not {"tensorflow", "keras", "mlflow"} & set(sys.modules)
assert dict(os.environ) == before
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="juge"):
        dl.juge  # noqa: B018


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
    assert "better: dropout is better than baseline" in repr(result)
    assert "dropout is better" in result.to_markdown()
    assert "\\toprule" in result.to_latex()
    assert result.plot().axes
    assert "dropout is better" in result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    hostile = dl.judge([{**row, "condition": f"<b>{row['condition']}"} for row in ROWS])
    assert "<b>" not in hostile._repr_html_()
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


def test_a_spec_is_read_with_overrides(repository: Path) -> None:
    spec = dl.load_spec(str(repository / "experiments" / "smoke.yaml"), overrides=["training.epochs=3"])
    assert isinstance(spec, dl.Spec)
    assert spec.training.epochs == 3
    with pytest.raises(dl.DropoutLabError, match="epochs"):
        dl.load_spec(repository / "experiments" / "smoke.yaml", ["training.epochs=-1"])


def test_the_python_code_in_the_readme_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    (tmp_path / "docs").symlink_to(repository / "docs")
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "report.html").exists()


def test_examples_in_docstrings() -> None:
    failed, attempted = doctest.testmod(api)
    assert attempted
    assert not failed
