"""The command line as a whole: help, versions, exit codes, and what is imported when."""

import subprocess
import sys
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
    result = subprocess.run(
        [sys.executable, "-m", "dropout_lab"],
        env={"_DROPOUT_LAB_COMPLETE": "complete_bash", "COMP_WORDS": "dropout-lab ", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"run", "compare"} <= set(result.stdout.split()) or result.returncode == 0


def test_version() -> None:
    result = dropout_lab_process("--version")
    assert result.stdout == f"dropout-lab {dropout_lab.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_an_example(command: str, repository: Path) -> None:
    assert f"`{command}" in (repository / "README.md").read_text()
    described = get_command(app).commands[command]  # type: ignore[attr-defined]
    assert f"dropout-lab {command}" in (described.help or "")
    assert all(parameter.help for parameter in described.params if parameter.name != "help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum"], "No such command 'rum'"),
        (["run"], "Missing argument 'SPEC'"),
        (["run", "missing.yaml"], "missing.yaml:1: [file] expected a readable YAML file"),
        (["run", "spec.yaml", "--set", "training.epoch=3"], "did you mean 'epochs'?"),
        (["run", "spec.yaml", "--set", "epochs"], "expected key=value"),
        (["run", "spec.yaml", "--device", "tpu"], "expected auto, cpu, gpu or gpu:1"),
        (["run", "spec.yaml", "--seeds", "0,x"], "[seeds[1]]"),
        (["run", "spec.yaml", "--seeds", "1,1"], "expected each seed once"),
        (["show", "nothing"], "There are no runs yet"),
        (["resume", "nothing"], "No unfinished run of this folder has the id or the name 'nothing'"),
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
    assert "Make room" in result.stderr
    assert "Traceback" not in result.stderr
