"""`judge` on files and standard input, without any tracking store."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dropout_lab.cli import app as command_line

Judge = Callable[..., tuple[int, str, str]]
RNG = np.random.default_rng(1)
CSV = "condition,seed,f1,runtime\n" + "".join(
    f"{name},{seed},{0.8 + effect + noise:.6f},{seed}\n"
    for name, effect in (("plain", 0.0), ("mixup", 0.05))
    for seed, noise in enumerate(RNG.normal(0, 0.01, 6))
)


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    monkeypatch.chdir(tmp_path)
    Path("scores.csv").write_text(CSV)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["dropout-lab", "judge", *arguments])
        code = command_line._main()
        return code, *capsys.readouterr()

    return run


def test_a_csv_file_gets_a_verdict(judge: Judge) -> None:
    code, out, _ = judge("scores.csv", "--reference", "plain")
    assert code == 0
    assert out.startswith("scores: mixup vs plain · 6 paired seeds · 95% CI")
    assert "HIGHER  mixup vs plain, f1: +0.0" in out
    assert "runtime" in out
    assert "Nothing is known of how these scores were made" in out
    assert not Path("mlflow.db").exists()


def test_standard_input_is_read(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = json.loads(judge("scores.csv", "--format", "json")[1])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + CSV.encode())))
    code, out, _ = judge("-", "--format", "json")
    assert code == 0
    assert json.loads(out) == expected


def test_report_and_plots_need_no_store(judge: Judge) -> None:
    code, _, err = judge("scores.csv", "--report", "r.html", "--plots", "plots", "--margin", "0.01")
    assert code == 0
    assert "Report written to r.html" in err
    page = Path("r.html").read_text()
    assert "mixup" in page
    assert "127.0.0.1" not in page
    assert Path("plots/forest.png").exists()
    assert not Path("mlflow.db").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "missing.csv: No such file or directory"),
        (["scores.csv", "--metric", "runtme"], "did you mean 'runtime'"),
        (["scores.csv", "--reference", "plane"], "did you mean 'plain'"),
        (["binary.csv"], "binary.csv: not UTF-8 text"),
        (["."], "Is a directory"),
    ],
)
def test_what_cannot_be_read_ends_with_2(judge: Judge, arguments: list[str], message: str) -> None:
    Path("binary.csv").write_bytes(b"\xff\xfe\x00")
    code, out, err = judge(*arguments)
    assert (code, out) == (2, "")
    assert message in err
