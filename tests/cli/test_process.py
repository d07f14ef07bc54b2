"""Surroundings that are unusual, but that a user can well have: streams, encodings, settings of libraries."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from dropout_lab.cli.process import stand_in
from dropout_lab.libraries import FAST, FIXED, IMPATIENT, QUIET, without_keras_settings

SPEC = """
name: tiny
model: {filters: [4, 8], hidden_units: 16, dropout: 0.5}
training: {epochs: 1}
data: {num_train: 200, num_test: 100}
"""
RESULTS = (
    ["schema"],
    ["data"],
    ["runs"],
    ["show", "baseline-seed0"],
    ["diff", "baseline-seed0", "dropout-seed0"],
    ["compare"],
    ["plan", "tiny.yaml"],
    ["run", "tiny.yaml", "--dry-run"],
    ["resume"],
    ["sync"],
    ["doctor"],
)
QUICK = ("schema", "runs", "compare")
"""Commands for each run of the tests; the others, which start the same way, are slow tests."""
ASCII = {"PYTHONIOENCODING": "ascii"}
POSIX = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def shell(
    command: str, folder: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``dropout-lab COMMAND`` through a shell, for its redirections."""
    python = "exec " + subprocess.list2cmdline([sys.executable, "-m", "dropout_lab"])
    environment = os.environ | (variables or {})
    return subprocess.run(
        ["sh", "-c", f"{python} {command}"], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def folder(logged_runs: tuple[Path, dict[str, str]]) -> Path:
    """A folder with logged runs and a spec."""
    (logged_runs[0] / "tiny.yaml").write_text(SPEC)
    return logged_runs[0]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(arguments, id=arguments[0], marks=[] if arguments[0] in QUICK else pytest.mark.slow)
        for arguments in RESULTS
    ],
)
def test_a_command_without_stdin_and_stderr_prints_its_result(arguments, folder):
    result = shell(f"{subprocess.list2cmdline(arguments)} <&- 2>&-", folder)
    assert result.returncode == 0, result.stdout
    assert len(result.stdout.splitlines()) >= 1
    assert b"NoneType" not in result.stdout


@pytest.mark.parametrize(
    "command, code",
    [
        ("schema", 0),
        ("--help", 0),
        ("run none.yaml", 2),
        pytest.param("runs", 0, marks=pytest.mark.slow),
        pytest.param("show nothing", 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_command_without_any_stream_ends_with_its_exit_code(command, code, closed, folder):
    result = shell(f"{command} {closed}", folder)
    assert result.returncode == code
    assert b"Traceback" not in result.stderr


@pytest.mark.slow
def test_training_without_any_stream_leaves_a_whole_run(tmp_path):
    (tmp_path / "tiny.yaml").write_text(SPEC)
    assert shell("run tiny.yaml <&- >&- 2>&-", tmp_path).returncode == 0
    listed = json.loads(shell("runs --format json", tmp_path).stdout)
    assert [run["status"] for run in listed] == ["FINISHED"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("command, code", [("runs", 0), ("show nothing", 2)])
def test_a_full_stderr_changes_no_exit_code(command, code, folder):
    assert shell(f"{command} 2>/dev/full", folder).returncode == code


@pytest.mark.parametrize(
    "command, variables",
    [
        ("compare", ASCII),
        pytest.param("show baseline-seed0", ASCII, marks=pytest.mark.slow),
        pytest.param("compare --format markdown", POSIX, marks=pytest.mark.slow),
        pytest.param("plan tiny.yaml", {"PYTHONIOENCODING": "cp1252"}, marks=pytest.mark.slow),
    ],
)
def test_what_an_encoding_lacks_does_not_stop_a_command(command, variables, folder):
    result = shell(command, folder, variables)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode(variables.get("PYTHONIOENCODING", "ascii"))


def test_a_name_in_another_script_is_an_error_in_words_under_an_encoding_without_it(tmp_path):
    result = shell("run 実験.yaml", tmp_path, ASCII)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "text, shown",
    [
        ("▲ 3 ± 1 → 4 \N{MINUS SIGN} 5…", "^ 3 +- 1 -> 4 - 5..."),
        ("▁▄█", "148"),
        ("größer Ångström", "gro?er Angstrom"),
        ("実験", "??"),
        ("\udcff", "?"),
    ],
)
def test_stand_ins(text, shown):
    assert stand_in(text, "ascii") == shown


def test_characters_that_an_encoding_has_stay():
    assert stand_in("größer ± ▲", "latin-1") == "größer ± ^"
    assert stand_in("größer ± ▲", "utf-8") == "größer ± ▲"


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["-W", "error"], marks=pytest.mark.slow),
        pytest.param(["-bb"], marks=pytest.mark.slow),
        ["-OO"],
    ],
    ids=" ".join,
)
def test_options_of_the_interpreter_that_make_libraries_stumble_do_no_harm(flags, folder):
    result = subprocess.run(
        [sys.executable, *flags, "-m", "dropout_lab", "compare", "-q"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""


HOSTILE = {
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "MPLBACKEND": "module://matplotlib_inline.backend_that_is_absent",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "0",
    "FORCE_COLOR": "1",
}
KERAS_SETTINGS = {
    "other settings": {
        "image_data_format": "channels_first",
        "floatx": "float64",
        "epsilon": 0.1,
        "backend": "torch",
    },
    "settings that Keras refuses": {"floatx": "float128", "image_data_format": "x", "epsilon": "x"},
}


def _trained(folder: Path, variables: Mapping[str, str]) -> tuple[dict[str, float], str]:
    folder.mkdir()
    (folder / "tiny.yaml").write_text(SPEC)
    result = shell("run tiny.yaml --format json", folder, variables)
    assert result.returncode == 0, result.stderr
    (run,) = json.loads(result.stdout)
    deterministic = {name: value for name, value in run["metrics"].items() if "seconds" not in name}
    return deterministic, result.stderr.decode()


@pytest.fixture(scope="module")
def usual_metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Metrics of SPEC's run in usual surroundings."""
    return _trained(tmp_path_factory.mktemp("usual") / "run", {})[0]


@pytest.mark.slow
@pytest.mark.parametrize("settings", KERAS_SETTINGS.values(), ids=KERAS_SETTINGS.keys())
def test_settings_of_libraries_change_no_result(settings, usual_metrics, tmp_path):
    home = tmp_path / "keras"
    home.mkdir()
    (home / "keras.json").write_text(json.dumps(settings))
    metrics, messages = _trained(tmp_path / "run", HOSTILE | {"KERAS_HOME": str(home)})
    assert metrics == usual_metrics
    assert json.loads((home / "keras.json").read_text()) == settings
    assert "\x1b[?25" not in messages  # a hidden cursor
    assert "\x1b[1A" not in messages  # a line up


def test_the_users_keras_home_is_back_after_the_import(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "/a")
    with without_keras_settings():
        assert list(Path(os.environ["KERAS_HOME"]).iterdir()) == []
    assert os.environ["KERAS_HOME"] == "/a"
    monkeypatch.delenv("KERAS_HOME")
    with pytest.raises(ValueError, match="x"), without_keras_settings():
        raise ValueError("x")
    assert "KERAS_HOME" not in os.environ


@pytest.mark.slow
def test_forced_colors_go_into_a_file_without_moving_the_cursor(folder):
    variables = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    result = shell("runs", folder, variables)
    assert b"\x1b[1m" in result.stdout
    assert result.stderr == b""
    for quiet in ({}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert b"\x1b[3" not in shell("runs", folder, quiet).stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
def test_a_user_that_the_system_does_not_know_can_train():
    # The effective user stays root, who may read this Python wherever it is.
    code = """
import os, sys
os.setresuid(54321, 0, 0)
from dropout_lab.cli.app import main
sys.argv = ["dropout-lab", "run", "tiny.yaml"]
main()
"""
    nameless = {key: value for key, value in os.environ.items() if key not in ("HOME", "USER", "LOGNAME")}
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to other users
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "tiny.yaml").write_text(SPEC)
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, cwd=folder, env=nameless, capture_output=True, check=False)
        assert result.returncode == 0, result.stderr
        assert not (folder / "~").exists()


def test_importing_the_library_changes_no_variable_and_no_logger(repository):
    modules = [
        ".".join(path.relative_to(repository).with_suffix("").parts)
        for path in sorted((repository / "dropout_lab").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    code = f"""
import importlib, logging, os, sys, warnings
import keras, matplotlib.backends.backend_agg, mlflow.keras, pandas, rich.console, scipy.stats
import sklearn.metrics, statsmodels.stats.multitest, tensorflow, typer, urllib3

def state():
    loggers = {{name: (logger.level, logger.disabled, logger.propagate)
               for name, logger in logging.Logger.manager.loggerDict.items()
               if isinstance(logger, logging.Logger)}}
    return dict(os.environ), loggers, list(warnings.filters), matplotlib.rcParams.copy()

environment, loggers, filters, plots = state()
for module in {modules!r}:
    importlib.import_module(module.removesuffix(".__init__"))
after = state()
assert after[0] == environment
assert {{name: after[1][name] for name in loggers}} == loggers
assert after[2:] == (filters, plots)
"""
    ours = QUIET | IMPATIENT | FAST | FIXED
    clean = {key: value for key, value in os.environ.items() if key not in ours}
    result = subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]


def test_help_needs_no_posix_module(repository):
    code = f"""
import sys
sys.modules["fcntl"] = None
for command in {[arguments[0] for arguments in RESULTS]!r}:
    sys.argv = ["dropout-lab", command, "--help"]
    from dropout_lab.cli.app import main
    try:
        main()
    except SystemExit as ended:
        assert ended.code == 0
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_an_interrupt_is_not_called_an_error(tmp_path):
    (tmp_path / "long.yaml").write_text(SPEC.replace("epochs: 1", "epochs: 500"))
    command = [sys.executable, "-m", "dropout_lab", "run", "long.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "1/500" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 130
    assert "\nInterrupted: " in f"\n{rest}"
    assert "Error" not in rest


def test_an_interrupt_during_the_first_imports_ends_without_a_traceback():
    code = """
import sys
class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from dropout_lab.__main__ import main
main()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 130
    assert not result.stderr
