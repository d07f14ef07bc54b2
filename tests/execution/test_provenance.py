import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dropout_lab.execution.provenance import PACKAGES, provenance_tags


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


def test_the_versions_are_those_that_are_installed() -> None:
    tags = provenance_tags()
    assert {package: tags[f"versions.{package}"] for package in PACKAGES} == {
        package: version(package) for package in PACKAGES
    }


def test_a_commit_says_which_code_ran_until_a_tracked_file_is_changed(commit: str) -> None:
    Path("mlflow.db").touch()
    tags = provenance_tags()
    assert tags["mlflow.source.git.commit"] == commit
    assert tags["dropout_lab.git_dirty"] == "false"
    Path("spec.yaml").write_text("name: two\n")
    assert provenance_tags()["dropout_lab.git_dirty"] == "true"


@pytest.mark.parametrize("path", ["", "/nonexistent"])
def test_without_a_checkout_or_without_git_there_is_no_commit(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if path:
        monkeypatch.setenv("PATH", path)
    assert not any("git" in tag for tag in provenance_tags())
