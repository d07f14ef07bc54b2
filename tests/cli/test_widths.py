"""No line breaks inside a word, in the output and the help of every command, at 60 columns or more."""

import ast
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
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
TRAINED = """
name: small
experiment: trained
seeds: 2
data: {dataset: digits, num_train: 60, num_test: 40, validation: 20}
training: {epochs: 1, batch_size: 20}
model: {network: mlp, dropout: 0.2}
conditions: {baseline: {model: {dropout: 0}}, dropout: {model: {dropout: 0.5}}}
"""
SEARCH = """
name: small
experiment: searched
seeds: 2
data: {dataset: digits, num_train: 60, num_test: 40, validation: 20}
training: {epochs: 1, batch_size: 20}
model: {network: mlp}
search: {trials: 2, seeds: 1, space: {model.dropout.hidden_1: [0.1, 0.5]}}
"""
CALLS = (
    "compare study --verbose",
    "compare study --within training.epochs",
    "export study --to exported",
    "export nowhere --to exported",
    "import nowhere",
    "delete study",
    "delete nothing --yes",
    "evaluate nothing",
    "promote nothing --name clothes",
    "init new-study",
    "ui --port 99999",
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
    "discard missing-seed0",
    "help nothing",
)
TRAINING_CALLS = (
    "run trained.yaml --dry-run",
    "run search.yaml --dry-run",
    "run trained.yaml --fresh",
    "run search.yaml",
    "evaluate trained --force --mc-samples 2 --shift noise --ood uniform",
    "compare trained --metric acc,ece --all-pairs --ensemble",
    "compare trained --report report.html --plots plots",
    "runs trained",
    "show trained/dropout-seed0 --verbose",
    "diff trained/baseline-seed0 trained/dropout-seed0",
    "predict trained/dropout-seed0 images.npy --mc-samples 2",
    "promote trained/dropout-seed0 --name clothes",
    "export trained --to exported",
    "import given --experiment copy",
    "delete trained/dropout-seed1 --yes",
    "doctor",
)
LINES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏─━╸╺│┃┏┳┓┡╇┩├┼┤└┴┘"
NO_SENTENCES = {"schema": "JSON, which has no lines to wrap"}
SHORT = {word for metric in METRICS for word in short_label(metric).split()} | {
    "Accuracy", "Loss", "Mean", "Median", "Test", "Time", "Val", "done", "gap,", "\\",
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
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Print:
    """Run a command in a terminal of some columns, each time in a new folder; return both streams' lines."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{logged_runs[0] / 'mlflow.db'}")

    def run(arguments: list[str], columns: int) -> list[str]:
        monkeypatch.chdir(shutil.copytree(files, tmp_path / f"{columns}" / "folder"))
        return in_terminal(arguments, columns, monkeypatch, capsys)

    return run


def in_terminal(
    arguments: list[str],
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[str]:
    """Run a command in a terminal of some columns; return the lines of both streams."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.argv", ["dropout-lab", *arguments])
    command_line._main()
    output = "\n".join(capsys.readouterr())
    # Cursor movements of the display that says what is being started.
    output = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|.*\r", "", output)
    return [line.rstrip() for line in output.splitlines()]


Words = Callable[[str], set[str]]


def words_of(line: str) -> set[str]:
    """The words of a line without signs that narrow terminals put elsewhere: a percent sign, ``<``."""
    return {word.strip("%,.;:<") for word in line.split() if word.strip(LINES)}


def words_without_values(line: str) -> set[str]:
    """The words of a line in which numbers and run IDs, which differ between calls, are signs."""
    return {re.sub(r"\b[0-9a-f]{8,}|\d+", "#", word) for word in words_of(line)}


def check(lines: list[str], whole: list[str], columns: int, words_of: Words = words_of) -> None:
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of trained runs, a folder that `export` wrote, and images."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "trained.yaml").write_text(TRAINED)
    (folder / "search.yaml").write_text(SEARCH)
    np.save(folder / "images.npy", np.zeros((2, 8, 8), np.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for call in ("run trained.yaml -q", "export trained --to given -q"):
            patch.setattr("sys.argv", ["dropout-lab", *call.split()])
            assert command_line._main() == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("call", TRAINING_CALLS)
def test_no_output_of_a_command_that_trains_breaks_a_word(
    call: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def lines_at(columns: int) -> list[str]:
        monkeypatch.chdir(shutil.copytree(trained, tmp_path / str(columns) / "folder"))
        return in_terminal([*call.split(), "--color", "never"], columns, monkeypatch, capsys)

    whole = lines_at(NO_LIMIT)
    assert whole
    assert not any(line.startswith("Error") for line in whole), whole
    check(lines_at(min(WIDTHS)), whole, min(WIDTHS), words_without_values)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_help_breaks_a_word(command: str, printed: Print) -> None:
    arguments = [*command.split(), "--help"]
    whole = printed(arguments, NO_LIMIT)
    for columns in WIDTHS:
        check(printed(arguments, columns), whole, columns)


def test_the_output_of_every_command_is_looked_at() -> None:
    looked_at = {call.split()[0] for call in (*CALLS, *TRAINING_CALLS)}
    assert looked_at | NO_SENTENCES.keys() == set(COMMANDS)


def test_sentences_are_printed_where_they_are_wrapped() -> None:
    """Commands print no line themselves, except in formats for files and scripts."""
    folder = Path(command_line.__file__).parent
    own_lines = {
        (path.stem, function.name)
        for path in folder.glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("print", "typer.echo", "typer.confirm")
    }
    assert own_lines == {
        ("app", "_main"),  # one word
        ("app", "_other_failure"),  # a traceback
        ("app", "_show_version"),
        ("app", "help_"),  # wrapped by Typer
        ("comparison_output", "_print_csv"),
        ("comparison_output", "print_comparison"),  # Markdown and LaTeX
        ("comparison_output", "print_comparisons"),  # an empty line
        ("console", "print_json"),
        ("sentences", "ask"),
    }
