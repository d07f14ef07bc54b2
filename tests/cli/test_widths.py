"""No line breaks inside a word, in the output and the help of every command, at 60 columns or more."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from dropout_lab.cli import app as command_line
from dropout_lab.cli.app import app
from dropout_lab.cli.console import NO_LIMIT
from dropout_lab.cli.metric_names import short_label
from dropout_lab.evaluation.registry import METRICS

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]
WIDTHS = (60, 80, 120)
SPEC = """
name: small
experiment: study
seeds: 4
training: {epochs: 3}
conditions: {baseline: {model: {dropout: 0}}, dropout: {model: {dropout: 0.5}}}
"""
CALLS = (
    "compare study --verbose",
    "compare study --metric test_acuracy",
    "compare nowhere",
    "runs --verbose",
    "runs --all",
    "show dropout-seed0 --verbose",
    "show missing-seed0",
    "diff baseline-seed0 dropout-seed0 --all",
    "plan small.yaml",
    "plan small.yaml --sd 0.002 --seeds 5..30",
    "plan small.yaml --sd 0.2",
    "judge two.csv --verbose",
    "judge five.csv --all-pairs",
    "judge two.csv --margin x",
    "judge two.csv --method unknown",
    "run missing.yaml",
    "run broken.yaml",
    "data",
    "resume",
    "sync",
    "discard --all",
    "help nothing",
)
SHORT = {word for metric in METRICS for word in short_label(metric).split()} | {
    "Mean", "Test", "Time", "Val", "done", "gap,", "\\",
}  # fmt: skip
"""Words that only narrow terminals show."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "small.yaml").write_text(SPEC)
    (folder / "broken.yaml").write_text("name: x\ntraining: {epoch: 3, batch_size: zero}\n")
    for name, conditions in (
        ("two", ["baseline", "a-condition-with-a-longer-name"]),
        ("five", ["baseline", "d10", "d20", "d50", "d80"]),
    ):
        rows = [
            f"{condition},{seed},{0.9 + index / 100 + (index * seed % 3) / 999},{0.3 - seed / 99}"
            for index, condition in enumerate(conditions)
            for seed in range(5)
        ]
        header = "condition,seed,test_accuracy,test_loss"
        (folder / f"{name}.csv").write_text("\n".join([header, *rows]))
    return folder


Print = Callable[..., list[str]]


@pytest.fixture
def printed(
    logged_runs: tuple[Path, dict[str, str]],
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Print:
    """Run a command in a terminal of some columns; return the lines of both streams."""
    monkeypatch.chdir(files)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{logged_runs[0] / 'mlflow.db'}")

    def run(arguments: list[str], columns: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.argv", ["dropout-lab", *arguments])
        command_line._main()
        output = "\n".join(capsys.readouterr())
        # Cursor movements of the display that says what is being started.
        output = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|.*\r", "", output)
        return [line.rstrip() for line in output.splitlines()]

    return run


def words_of(line: str) -> set[str]:
    """The words of a line without signs that narrow terminals put elsewhere: a percent sign, ``<``."""
    return {word.strip("%,.;:<") for word in line.split()} - {"─" * len(word) for word in line.split()}


def check(lines: list[str], whole: list[str], columns: int) -> None:
    words = {word for line in whole for word in words_of(line)}
    for line in lines:
        broken = words_of(line) - words - SHORT
        assert not broken, line
        # A path or an address that is longer than the terminal has a line of its own.
        assert len(line) <= columns or len(line.split()) == 1, line


@pytest.mark.parametrize("call", CALLS)
def test_no_output_breaks_a_word(call: str, printed: Print) -> None:
    arguments = [*call.split(), "--color", "never"] if not call.startswith("help") else call.split()
    whole = printed(arguments, NO_LIMIT)
    assert whole
    for columns in WIDTHS:
        check(printed(arguments, columns), whole, columns)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_help_breaks_a_word(command: str, printed: Print) -> None:
    arguments = [*command.split(), "--help"]
    whole = printed(arguments, NO_LIMIT)
    for columns in WIDTHS:
        check(printed(arguments, columns), whole, columns)
