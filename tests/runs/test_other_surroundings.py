"""A killed run that is resumed elsewhere: with the weights that it was started for, or not at all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dropout_lab
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.workspace import STATE_ROOT
from dropout_lab.tracking import read_runs

SPEC = """\
name: killed
training: {epochs: 40, batch_size: 100}
data: {num_train: 1000, num_test: 100}
model: {filters: [4, 8], hidden_units: 16}
conditions:
  baseline: {model: {dropout: 0}}
  dropout: {model: {dropout: 0.3}}
"""

pytestmark = pytest.mark.slow


def start(
    folder: Path, *arguments: str, cpus: set[int] | None = None, code: Path | None = None, **environment: str
) -> subprocess.Popen[str]:
    package = (code or Path(dropout_lab.__file__).parent).parent
    return subprocess.Popen(
        [sys.executable, "-m", "dropout_lab", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": str(package)},
        preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
    )


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with two runs, killed in training, and their final weights by condition if they are not."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "killed.yaml").write_text(SPEC)
    whole = start(folder, "run", "killed.yaml", "--set", "experiment=whole")
    _, errors = whole.communicate(timeout=1200)
    assert whole.returncode == 0, errors
    for condition in ("baseline", "dropout"):
        only = folder / f"{condition}.yaml"
        others = [line for line in SPEC.splitlines() if not line.startswith("  ")]
        (own,) = (line for line in SPEC.splitlines() if line.startswith(f"  {condition}:"))
        only.write_text("\n".join([*others, own]))
        process = start(folder, "run", only.name)
        assert process.stderr is not None
        next(line for line in process.stderr if "epoch 1/" in line)
        process.kill()
        process.communicate()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        weights = {run.condition: run.final_weights for run in read_runs("whole")}
        assert {run.status for run in read_runs("killed")} == {RunStatus.INTERRUPTED}
    return folder, weights


@pytest.fixture
def folder(
    killed: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, dict[str, str]]:
    """A copy of that folder, which is the current folder, and those weights."""
    copy = tmp_path / "copy"
    shutil.copytree(killed[0], copy)
    monkeypatch.chdir(copy)
    return copy, killed[1]


def resume(folder: Path, *arguments: str, **surroundings: object) -> tuple[int, str]:
    process = start(folder, "resume", *arguments, **surroundings)  # type: ignore[arg-type]
    _, errors = process.communicate(timeout=1200)
    assert "Traceback" not in errors
    return process.returncode, errors


def records() -> dict[str, RunRecord]:
    return {run.condition: run for run in read_runs("killed")}


def edited_code(tmp_path: Path, before: str, after: str) -> Path:
    """Return a copy of the package with an edit in its training loop."""
    copy = tmp_path / "code" / "dropout_lab"
    shutil.copytree(Path(dropout_lab.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    loop = copy / "training" / "loop.py"
    text = loop.read_text()
    assert before in text
    loop.write_text(text.replace(before, after))
    return copy


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs"
)
def test_on_one_cpu_after_two_the_weights_are_the_promised_ones(folder: tuple[Path, dict[str, str]]) -> None:
    code, errors = resume(folder[0], cpus={min(os.sched_getaffinity(0))})
    assert code == 0, errors
    assert {name: run.final_weights for name, run in records().items()} == folder[1]
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []


def test_another_copy_of_the_code_with_other_comments_continues(
    folder: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    copy = edited_code(tmp_path, '"""Steps between', '# Edited.\n"""About the steps between')
    code, errors = resume(folder[0], code=copy)
    assert code == 0, errors
    assert {name: run.final_weights for name, run in records().items()} == folder[1]


@pytest.mark.parametrize(
    ("environment", "edit", "reason"),
    [
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "", "oneDNN on -> off"),
        ({}, "STEPS_A_CALL = 11", r"training code [0-9a-f]{8} -> [0-9a-f]{8}"),
    ],
    ids=["oneDNN", "code"],
)
def test_what_would_end_in_other_weights_is_refused_until_it_is_undone(
    folder: tuple[Path, dict[str, str]],
    tmp_path: Path,
    environment: dict[str, str],
    edit: str,
    reason: str,
) -> None:
    copy = edited_code(tmp_path, "STEPS_A_CALL = 10", edit) if edit else None
    before = records()
    code, errors = resume(folder[0], code=copy, **environment)
    if "oneDNN" in reason and code == 0:  # a processor on which oneDNN cannot be used
        assert {name: run.final_weights for name, run in records().items()} == folder[1]
        return
    assert code == 2, errors
    for run in before.values():
        assert re.search(rf"{run.run_name}: run {run.run_id[:8]} cannot continue: {reason}", errors)
        assert f"`dropout-lab discard {run.run_id[:8]}`" in errors
    assert {run.run_id for run in records().values()} == {run.run_id for run in before.values()}
    code, errors = resume(folder[0])
    assert code == 0, errors
    assert {name: run.final_weights for name, run in records().items()} == folder[1]


def test_one_that_cannot_continue_does_not_hold_up_the_others(folder: tuple[Path, dict[str, str]]) -> None:
    run = records()["baseline"]
    (state,) = [path for path in STATE_ROOT.glob("*/run.json") if run.run_id in path.read_text()]
    state.write_text(re.sub(r'"code": "[0-9a-f]{16}"', '"code": "0123456789abcdef"', state.read_text()))
    code, errors = resume(folder[0])
    assert code == 2, errors
    assert "1 of 2 runs failed" in errors
    assert records()["dropout"].final_weights == folder[1]["dropout"]
    discarded = start(folder[0], "discard", run.run_id[:8])
    out, errors = discarded.communicate(timeout=600)
    assert discarded.returncode == 0, errors
    assert out == f"Discarded {run.run_name}.\n"
    assert records()["baseline"].status is RunStatus.KILLED
    assert list(STATE_ROOT.glob("[0-9a-f]*")) == []
