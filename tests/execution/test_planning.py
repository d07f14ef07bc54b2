"""Runs follow from the spec, and their keys from all that decides their result."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import dropout_lab
from dropout_lab.execution.planning import PlannedRun, plan_runs, result_versions
from dropout_lab.records import DataFingerprint, Design, DeviceInfo
from dropout_lab.spec import SequentialSeeds, Settings, Spec, load_spec
from dropout_lab.spec.models import Margins

DATA = DataFingerprint(folder="/a", checksums={}, num_train=9, num_validation=3, num_test=3, digest="d")
CPU = DeviceInfo(
    device="/CPU:0",
    device_name="some CPU",
    num_threads=2,
    precision="float32",
    instruction_set="AVX2",
    onednn="on",
)


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: both\nseeds: [3, 1]\nconditions:\n  baseline: {}\n  dropout: {model: {dropout: 0.5}}\n"
        "claims:\n  - {metric: test_loss, condition: dropout, expected: lower}\n"
    )
    return load_spec(path)


def test_conditions_stay_paired_however_early_the_work_is_stopped(spec: Spec) -> None:
    assert [run.name for run in plan_runs(spec)] == [
        "baseline-seed3",
        "dropout-seed3",
        "baseline-seed1",
        "dropout-seed1",
    ]


def test_a_run_is_the_same_after_being_kept_as_json(spec: Spec) -> None:
    for run in plan_runs(spec):
        assert PlannedRun.from_json(run.to_json()) == run


def test_all_that_decides_the_result_decides_the_key(spec: Spec) -> None:
    baseline, dropout, other_seed, _ = plan_runs(spec)
    longer = plan_runs(spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 11})}))[
        0
    ]
    keys = {
        baseline.key(DATA, CPU, "fast"),
        dropout.key(DATA, CPU, "fast"),
        other_seed.key(DATA, CPU, "fast"),
        longer.key(DATA, CPU, "fast"),
        baseline.key(replace(DATA, digest="e"), CPU, "fast"),
        baseline.key(DATA, replace(CPU, device="/GPU:0"), "fast"),
        baseline.key(DATA, CPU, "stock"),
    }
    assert len(keys) == 7


def test_an_edit_of_the_code_that_trains_changes_the_key(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = plan_runs(spec)[0]
    keys = [run.key(DATA, CPU, "fast")]
    copy = tmp_path / "dropout_lab"
    shutil.copytree(Path(dropout_lab.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(dropout_lab, "__file__", str(copy / "__init__.py"))
    for edited in ("cli/run.py", "learning/engines/masks.py", "seeds.py"):
        with (copy / edited).open("a") as source:
            source.write("\nEDITED = True\n")
        result_versions.cache_clear()
        keys.append(run.key(DATA, CPU, "fast"))
    result_versions.cache_clear()
    original, after_cli, after_masks, after_seeds = keys
    assert original == after_cli
    assert len({original, after_masks, after_seeds}) == 3


def test_where_things_are_and_what_they_are_called_does_not_change_the_key(spec: Spec) -> None:
    run = plan_runs(spec)[0]
    moved = replace(run, settings=run.settings.model_copy(update={"device": "cpu"}))
    assert moved.key(replace(DATA, folder="/b"), CPU, "fast") == run.key(DATA, CPU, "fast")


def test_claims_are_fingerprinted_with_the_runs(spec: Spec) -> None:
    assert plan_runs(spec)[0].origin.claims
    assert not plan_runs(spec.model_copy(update={"claims": ()}))[0].origin.claims


def test_the_design_goes_with_each_run(spec: Spec) -> None:
    sequential = Spec(
        name="s", seeds=SequentialSeeds(first=3, most=9, step=2), primary="test_loss",
        margins=Margins(test_loss=0.02), conditions={"baseline": Settings(), "dropout": Settings()},
    )  # fmt: skip
    runs = plan_runs(sequential)
    assert len(runs) == 18
    design = Design.from_json(runs[5].origin.design)
    assert design == Design(
        primary="test_loss", first=3, most=9, step=2, num_conditions=2, margins={"test_loss": 0.02}
    )
    fixed = Design.from_json(plan_runs(spec)[0].origin.design)
    assert (fixed.first, fixed.most) == (len(spec.seeds), len(spec.seeds))
    assert fixed.claims
