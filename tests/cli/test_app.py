"""The command line as a whole: help, versions, exit codes, and what is imported when."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.main import get_command

import dropout_lab
from dropout_lab.cli.app import app

HEAVY = ("tensorflow", "keras", "mlflow", "pandas", "matplotlib", "scipy", "sklearn")
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def dropout_lab_process(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dropout_lab", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["compare", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["dropout-lab", *{arguments!r}]
from dropout_lab.cli.app import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1] == "[]"


def test_completion_answers() -> None:
    asked = {"_DROPOUT_LAB_COMPLETE": "complete_bash", "COMP_WORDS": "dropout-lab ", "COMP_CWORD": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "dropout_lab"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert sorted(result.stdout.split()) == COMMANDS
    assert result.returncode == 0


def test_version() -> None:
    result = dropout_lab_process("--version")
    assert result.stdout == f"dropout-lab {dropout_lab.__version__}\n"


def _help(*arguments: str, columns: int, flags: Sequence[str] = ()) -> list[str]:
    result = subprocess.run(
        [sys.executable, *flags, "-m", "dropout_lab", *arguments, "--help"],
        env=os.environ | {"COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_the_terminal_and_shows_its_examples_unbroken(command: str, columns: int) -> None:
    lines = _help(command, columns=columns)
    examples = lines[lines.index("  Examples:") + 1 :]
    assert examples
    commands = "\n".join(examples).replace(" \\\n", " ").splitlines()
    assert all(f"dropout-lab {command}" in line for line in commands)
    assert all(len(line) <= columns for line in lines)
    assert not any("None" in line.split() for line in lines)
    options = [line for line in lines if line.startswith("  -")]
    assert not any(re.search("<(bool|str|path|int|float|list)", line) for line in options)  # METAVAR, <a|b>
    usage = lines[0].removeprefix(f"Usage: dropout-lab {command} ")
    assert usage == usage.upper()


def test_the_programs_own_help_fits_60_columns() -> None:
    assert all(len(line) <= 60 for line in _help(columns=60))


def test_the_list_of_commands_cuts_no_summary_and_ends_with_the_exit_codes() -> None:
    lines = _help(columns=80)
    start = lines.index("Commands:")
    summaries = lines[start + 1 : start + 1 + len(COMMANDS)]
    assert [line.split()[0] for line in sorted(summaries)] == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in summaries)
    assert "  Exit codes:" in lines[start:]


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)])
def test_help_needs_no_docstrings(arguments: list[str]) -> None:
    assert _help(*arguments, columns=80, flags=["-OO"]) == _help(*arguments, columns=80)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_an_example(command: str) -> None:
    described = get_command(app).commands[command]  # type: ignore[attr-defined]
    assert described.help
    assert f"dropout-lab {command}" in (described.epilog or "")
    assert all(parameter.help for parameter in described.params if parameter.name != "help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum"], "No such command 'rum'"),
        (["run"], "Missing argument 'SPEC'"),
        (["run", "missing.yaml"], "missing.yaml: file not found"),
        (["run", "spec.yaml", "--set", "training.epoch=3"], "unknown key 'epoch' (did you mean 'epochs'?)"),
        (["run", "spec.yaml", "--set", "epochs"], "not of the form KEY=VALUE"),
        (
            ["run", "spec.yaml", "--device", "tpu"],
            "invalid value: 'tpu' (allowed: auto, cpu, gpu, gpu:N or gpus)",
        ),
        (["run", "spec.yaml", "--seeds", "0,x"], "[seeds[1]]"),
        (["run", "spec.yaml", "--seeds", "1,1"], "duplicate seed: 1"),
        (["show", "nothing"], "There are no runs yet"),
        (["resume", "nothing"], "No interrupted run 'nothing' in this folder"),
        (["discard", "nothing"], "No interrupted run 'nothing' in this folder"),
        (["discard"], "Name one run, or pass --all"),
    ],
)
def test_bad_input_ends_with_code_2_and_a_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("name: spec\n")
    result = dropout_lab_process(*arguments, cwd=tmp_path)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert result.returncode == (1 if "no runs yet" in message else 2)
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


def test_output_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dropout_lab", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.wait()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_output_that_finds_no_room_says_so() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "dropout_lab", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "Free disk space" in result.stderr
    assert "Traceback" not in result.stderr


BROKEN = """
import sys
from dropout_lab.cli import app

def broken():
    raise TypeError("at https://user:pa/s3cret@host/x?token=s3cret")

app.app.command("broken")(broken)
sys.argv = ["dropout-lab", "broken"]
app.main()
"""


@pytest.mark.parametrize("variables", [{}, {"DROPOUT_LAB_TRACEBACK": "1"}])
def test_a_bug_is_told_without_the_secrets_in_it(variables: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | variables,
    )
    assert ended.returncode == 1
    assert "s3cret" not in ended.stderr + ended.stdout
    assert "TypeError: at https://***@host/x?token=***" in ended.stderr
    assert ("Traceback" in ended.stderr) is bool(variables)
