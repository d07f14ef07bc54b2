import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dropout_lab import __version__
from dropout_lab.runs import provenance
from dropout_lab.runs.provenance import PACKAGES, find_provenance


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    result = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The only commit of the checkout that is the current folder; it has the file ``spec.yaml``."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    Path("spec.yaml").write_text("name: one\n")
    git("add", "spec.yaml")
    git("commit", "--quiet", "--message", "One")
    return git("rev-parse", "HEAD")


def dirty(spec: str = "") -> bool | None:
    return find_provenance(spec).git_dirty


def test_the_versions_are_those_that_are_installed() -> None:
    assert find_provenance().versions == {
        "dropout_lab": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def test_a_commit_says_which_code_ran_until_a_tracked_file_is_changed(commit: str) -> None:
    Path("mlflow.db").touch()
    found = find_provenance("spec.yaml")
    assert found.git_commit == commit
    assert found.git_dirty is False
    assert found.note == ""
    Path("spec.yaml").write_text("name: two\n")
    assert dirty() is True


def test_a_spec_that_the_commit_does_not_have_counts_as_a_change(commit: str, tmp_path: Path) -> None:
    Path("new.yaml").write_text("name: new\n")
    Path(".git/info/exclude").write_text("ignored.yaml\n")
    Path("ignored.yaml").write_text("name: new\n")
    assert dirty("spec.yaml") is dirty(str(tmp_path / "spec.yaml")) is False
    assert dirty("new.yaml") is dirty("ignored.yaml") is dirty("/dev/stdin") is True


def test_the_current_folder_may_be_anywhere_in_the_checkout(
    commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert find_provenance("../spec.yaml").git_commit == commit
    assert dirty("../spec.yaml") is False


def script(folder: Path, text: str) -> None:
    """Put a program called git into `folder`."""
    (folder / "git").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "git").chmod(0o755)


@pytest.mark.parametrize("fault", ["garbage index", "slow", "dubious", "no git"])
def test_what_git_cannot_tell_is_unknown_and_said(
    commit: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "garbage index":
        Path(".git/index").write_bytes(b"garbage")
    else:
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir()
        monkeypatch.setenv("PATH", str(bin_folder))
        monkeypatch.setattr(provenance, "GIT_SECONDS", 0.2)
        if fault == "slow":
            script(
                bin_folder, f'[ "$1" = status ] && exec {os.path.realpath("/bin/sleep")} 60; echo {commit}'
            )
        elif fault == "dubious":
            script(bin_folder, "echo 'fatal: detected dubious ownership in repository' >&2; exit 128")
    found = find_provenance("spec.yaml")
    assert found.git_dirty is None
    part = {"garbage index": "index", "slow": "git status", "dubious": "dubious", "no git": "not installed"}
    assert part[fault] in found.note


def test_a_checkout_without_a_commit_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    found = find_provenance()
    assert found.git_commit == ""
    assert found.note == ""


@pytest.mark.parametrize("path", ["", "/nonexistent"])
def test_without_a_checkout_there_is_no_commit(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if path:
        monkeypatch.setenv("PATH", path)
    found = find_provenance()
    assert (found.git_commit, found.git_dirty) == ("", None)
    assert found.note == ""
