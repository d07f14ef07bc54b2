"""A workspace holds one unfinished run: for one process at a time, whole or recognizably not."""

import platform
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dropout_lab.records import DataFingerprint, DeviceInfo, RunStart
from dropout_lab.runs.identity import identify
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.workspace import STATE_ROOT, RunLockedError, State, Workspace, workspaces
from dropout_lab.runs.workspace import _leases as leases_of_this_process
from dropout_lab.spec import ModelSpec, Settings

DATA = DataFingerprint(
    folder="/a", checksums={"x": "y"}, num_train=9, num_validation=3, num_test=3, digest="d"
)
CPU = DeviceInfo(
    device="/CPU:0",
    device_name="some CPU",
    num_threads=2,
    precision="float32",
    instruction_set="AVX2",
    onednn="on",
)
SETTINGS = Settings(model=ModelSpec().resolved())
RUN = PlannedRun("dropout", 3, SETTINGS, Origin("study", text="name: a\n"))
IDENTITY = identify(RUN, DATA, CPU, "fast")
START = RunStart(
    run_name="dropout-seed3",
    description="",
    condition="dropout",
    seed=3,
    spec={"a": "b"},
    tags={},
    data=DATA,
    texts={"spec/given.yaml": "name: a\n"},
)
STATE = State(RUN, IDENTITY, "mlflow.db", "/a", "0123456789abcdef", start=START)

HOLD = """
from pathlib import Path
from dropout_lab.runs.workspace import STATE_ROOT, Workspace
workspace = Workspace(STATE_ROOT / "key")
with workspace.locked():
    print("held", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workspace() -> Workspace:
    """The workspace of `STATE`, saved."""
    made = Workspace.of(IDENTITY, "study", "mlflow.db")
    with made.locked():
        made.write(STATE)
    return made


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    workspace = Workspace(STATE_ROOT / "key")
    owner = f"Process {holder.pid} on {re.escape(platform.node())} is training"
    with pytest.raises(RunLockedError, match=owner), workspace.locked():
        pass
    holder.kill()
    holder.communicate()
    with workspace.locked():
        pass


def test_a_run_that_another_host_took_over_is_saved_no_more(workspace: Workspace) -> None:
    with workspace.locked():
        (lease,) = STATE_ROOT.glob("*.lease.1")
        lease.with_suffix(".2").write_text("{}")
        next(iter(leases_of_this_process.values()))._renew()
        for save in (workspace.require_lock, workspace.remove, lambda: workspace.write(STATE)):
            with pytest.raises(RunLockedError, match="was taken over by another host"):
                save()
    assert workspace.read() == STATE


def test_the_state_is_read_as_it_was_written(workspace: Workspace) -> None:
    assert workspace.read() == STATE
    assert workspaces() == [workspace]
    assert (workspace.name, STATE.reference) == ("dropout-seed3", "01234567")


def test_a_removed_workspace_takes_its_lock_file_along(workspace: Workspace) -> None:
    with workspace.locked():
        workspace.remove()
    assert list(STATE_ROOT.iterdir()) == []


def test_a_workspace_without_a_run_disappears() -> None:
    with pytest.raises(KeyError), Workspace(STATE_ROOT / "key").locked():
        raise KeyError
    assert list(STATE_ROOT.iterdir()) == []


def test_each_experiment_and_store_has_a_workspace_of_its_own() -> None:
    places = [("study", "mlflow.db"), ("other", "mlflow.db"), ("study", "http://host")]
    assert len({Workspace.of(IDENTITY, *place) for place in places}) == 3
    threads = replace(IDENTITY, arithmetic={"threads": "1"})
    assert Workspace.of(threads, *places[0]) == Workspace.of(IDENTITY, *places[0])


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00", '{"run": {}}', '{"run": 3, "start_id": ""}'])
def test_a_damaged_state_is_none(workspace: Workspace, content: str) -> None:
    (workspace.path / "run.json").write_text(content)
    assert workspace.read() is None
    assert workspace.name == workspace.path.name


def test_the_state_of_version_01_has_no_identity(workspace: Workspace) -> None:
    run = RUN.to_json()
    del run["origin"]["design"], run["origin"]["path"]
    import json

    old = {"start_id": "s", "run": run, "versions": {"keras": "3.0"}, "run_id": "abc", "pid": 1, "host": "h"}
    (workspace.path / "run.json").write_text(json.dumps(old))
    state = workspace.read()
    assert state is not None
    assert (state.run.name, state.run_id, state.identity) == ("dropout-seed3", "abc", None)


@pytest.fixture
def result(workspace: Workspace) -> Workspace:
    """The workspace with a result."""
    files = {"result.json": b"{}", "artifacts/a/b.npz": b"123"}
    workspace.save_result(files, "model.keras", lambda path: path.write_bytes(b"model"))
    return workspace


def test_a_result_is_whole_when_it_is_there(result: Workspace) -> None:
    assert result.has_result
    assert result.result_problem() == ""
    assert (result.result / "artifacts/a/b.npz").read_bytes() == b"123"


@pytest.mark.parametrize("name", ["result.json", "artifacts/a/b.npz", "model.keras", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "changed"])
def test_every_damage_of_a_result_is_found(result: Workspace, name: str, damage: str) -> None:
    path = result.result / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes({"empty": b"", "truncated": content[:-1], "changed": b"x" + content[1:]}[damage])
    assert name.rpartition("/")[2] in result.result_problem()


def test_a_result_without_its_artifacts_is_not_whole(result: Workspace) -> None:
    (result.result / "artifacts").rename(result.path / "elsewhere")
    assert "b.npz" in result.result_problem()


def test_a_result_that_cannot_be_written_is_not_there(workspace: Workspace) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        workspace.save_result({"result.json": b"{}"}, "model.keras", fail)
    assert not workspace.has_result
    workspace.save_result({"result.json": b"{}"}, "model.keras", lambda path: path.write_bytes(b"model"))
    assert workspace.result_problem() == ""
