import errno
import json
import re
import sys
from importlib import metadata

import keras
import pytest
import typer

from dropout_lab.cli import doctor as doctor_module
from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.doctor import (
    check_data,
    check_disk,
    check_keras,
    check_packages,
    check_python,
    check_tracking,
    diagnose,
    doctor,
)
from dropout_lab.errors import TrackingError

NAMES = ["python", "packages", "keras", "device", "data", "tracking", "disk"]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor_module, "MIN_FREE_BYTES", 1)


def test_a_whole_machine_has_one_good_line_a_check(capsys):
    doctor()
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in NAMES]


def test_a_failed_check_is_printed_with_its_fix_and_exit_1(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DROPOUT_LAB_DATA", str(tmp_path / "[b]nowhere"))
    with pytest.raises(typer.Exit) as ended:
        doctor()
    assert ended.value.exit_code == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines()[2:] if not line.startswith("ok")]
    assert line.split()[:2] == ["FAIL", "data"]
    assert "[b]nowhere" in line
    assert "-> Correct DROPOUT_LAB_DATA" in line


def test_prints_json_for_scripts(capsys):
    doctor(format_=TextOrJson.JSON)
    checks = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in checks] == NAMES
    assert all(check["ok"] and check["found"] and not check["fix"] for check in checks)


@pytest.mark.parametrize(
    "version, ok", [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_python(version, ok):
    check = check_python(version)
    assert check.ok is ok
    assert ".".join(map(str, version)) in check.found


def _versions(**versions):
    def version_of(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    return version_of


def test_packages_as_needed():
    requirements = ["numpy>=2.0", "mlflow!=3.18.0,>=3.10", 'pytest>=8; extra == "dev"', "tensorflow>=2.20"]
    check = check_packages(requirements, _versions(numpy="2.4", mlflow="3.17.2", tensorflow="2.21"))
    assert check.ok
    assert check.found == "all 3 requirements met (mlflow 3.17.2, numpy 2.4, tensorflow 2.21)"


def test_packages_missing_or_of_the_wrong_version():
    requirements = ["numpy>=2.0", "mlflow!=3.18.0,>=3.10", "rich>=14"]
    check = check_packages(requirements, _versions(numpy="1.26", mlflow="3.18.0"))
    assert not check.ok
    assert check.found.split("; ") == [
        "numpy>=2.0 is required, but 1.26 is installed",
        "mlflow!=3.18.0,>=3.10 is required, but 3.18.0 is installed",
        "rich>=14 is missing",
    ]
    assert "pip install" in check.fix


def test_tensorflow_cpu_stands_for_tensorflow_but_not_beside_it():
    assert check_packages(["tensorflow>=2.20"], _versions(**{"tensorflow-cpu": "2.21"})).ok
    both = check_packages(["tensorflow>=2.20"], _versions(**{"tensorflow-cpu": "2.21", "tensorflow": "2.21"}))
    assert not both.ok
    assert "both installed" in both.found
    assert "pip uninstall tensorflow tensorflow-cpu" in both.fix


def test_data_that_is_nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("dropout_lab.data.idx_files.DEBIAN_FOLDER", tmp_path)
    check = check_data()
    assert (check.ok, check.fix) == (
        False,
        "Run `dropout-lab data`. Specs with another data.dataset do not need it.",
    )


def test_a_tracking_store_is_not_made(tmp_path):
    check = check_tracking()
    assert check.ok
    assert check.found == f"{tmp_path / 'mlflow.db'} (created by the first run)"
    assert list(tmp_path.iterdir()) == []


def test_a_tracking_server_that_is_away(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    check = diagnose("tracking", check_tracking)
    assert not check.ok
    assert "127.0.0.1:9" in check.found
    assert "secret" not in check.found + check.fix
    assert check.fix


def test_a_full_disk(monkeypatch, tmp_path):
    assert check_disk(tmp_path).ok
    monkeypatch.setattr(doctor_module, "MIN_FREE_BYTES", 2**80)
    check = check_disk(tmp_path)
    assert not check.ok
    assert re.search(rf"\d GiB free in {tmp_path}", check.found)


def test_whatever_a_check_raises_is_a_finding():
    def broken():
        raise ValueError("no such thing")

    def refused():
        raise TrackingError("not there", hint="put it there")

    assert diagnose("device", broken).found == "ValueError: no such thing"
    assert diagnose("tracking", refused).fix == "put it there"


def test_the_machine_that_runs_this_has_the_python_it_needs():
    assert check_python(sys.version_info[:3]).ok
    assert check_packages().ok


def test_keras_is_checked_as_a_run_sets_it(monkeypatch):
    keras.config.set_image_data_format("channels_first")
    assert check_keras().found == "backend tensorflow, image data format channels_last, float type float32"
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    check = diagnose("keras", check_keras)
    assert not check.ok
    assert "jax" in check.found
    assert "KERAS_BACKEND=tensorflow" in check.fix


def test_a_store_that_cannot_be_written_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/runs/mlflow.db")
    check = diagnose("tracking", check_tracking)
    assert not check.ok
    assert "/proc" in check.found
    assert "MLFLOW_TRACKING_URI" in check.fix


def test_a_file_system_without_locks_fails(monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    check = diagnose("tracking", check_tracking)
    assert not check.ok
    assert "does not support file locks" in check.found
