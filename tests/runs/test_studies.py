"""Runs are nested under the study of their experiment, which has the summary of all."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from dropout_lab.api.comparing import compare
from dropout_lab.api.deleting import delete
from dropout_lab.api.moving import export_experiment, import_experiment
from dropout_lab.api.running import run
from dropout_lab.runs.executor import execute_runs
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.resuming import resume_workspaces
from dropout_lab.runs.studies import refresh
from dropout_lab.runs.worker_plan import WorkerPlan
from dropout_lab.runs.workspace import workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import list_experiments, read_runs, schema
from dropout_lab.tracking.studies import find_study
from dropout_lab.training.devices import num_threads

SPEC = """
name: nested
primary: test_loss
seeds: 2
training: {epochs: 1, batch_size: 50}
model: {network: mlp, hidden: [4]}
data: {num_train: 100, num_test: 50}
conditions:
  none: {model: {dropout: 0}}
  half: {model: {dropout: 0.5}}
"""


def study_and_runs(name: str) -> tuple[Any, list[Any]]:
    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(name)
    study = find_study(client, experiment.experiment_id)
    found = client.search_runs([experiment.experiment_id])
    return (client.get_run(study) if study else None), [one for one in found if one.info.run_id != study]


@pytest.mark.slow
def test_a_study_holds_its_runs_and_their_summary(lab: Path) -> None:
    (lab / "nested.yaml").write_text(SPEC)
    run("nested.yaml", seeds=[0], progress=False)
    study, runs = study_and_runs("nested")
    assert {one.data.tags[schema.PARENT] for one in runs} == {study.info.run_id}

    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    client.delete_tag(runs[0].info.run_id, schema.PARENT)  # as runs of an earlier version
    run("nested.yaml", progress=False)
    study, runs = study_and_runs("nested")
    assert len(runs) == 4 == len(read_runs("nested"))
    assert {one.data.tags[schema.PARENT] for one in runs} == {study.info.run_id}
    by_condition = {
        name: [one.data.metrics["test_loss"] for one in runs if one.data.tags[schema.CONDITION] == name]
        for name in ("none", "half")
    }
    metrics = study.data.metrics
    means = {name: sum(values) / 2 for name, values in by_condition.items()}
    assert metrics["test_loss/half"] == pytest.approx(means["half"])
    assert metrics["difference/half"] == pytest.approx(means["half"] - means["none"])
    assert metrics["ci_low/half"] < metrics["difference/half"] < metrics["ci_high/half"]
    assert study.data.tags[f"{schema.VERDICT}half"] in ("better", "worse", "equivalent", "undecided")
    assert "half vs none" in study.data.tags[schema.DESCRIPTION]


def verdicts(name: str) -> dict[str, str]:
    study, _ = study_and_runs(name)
    tags = study.data.tags
    return {key.removeprefix(schema.VERDICT): tags[key] for key in tags if key.startswith(schema.VERDICT)}


@pytest.mark.slow
def test_deleted_imported_and_resumed_runs_change_the_summary(
    lab: Path, make_listener: Callable[..., Any]
) -> None:
    (lab / "nested.yaml").write_text(SPEC)
    spec = load_spec(lab / "nested.yaml", ["training.epochs=3"])
    run(spec, progress=False)
    assert verdicts("nested").keys() == {"half"}
    export_experiment("nested", lab / "exported")

    delete("nested/half-seed1")
    study, _ = study_and_runs("nested")
    value = {one.run_name: one.metrics["test_loss"] for one in read_runs("nested")}["half-seed0"]
    assert study.data.metrics["test_loss/half"] == value
    delete("nested/half-seed0")
    study, _ = study_and_runs("nested")
    assert verdicts("nested") == {}
    assert math.isnan(study.data.metrics["difference/half"])

    import_experiment(lab / "exported")
    assert verdicts("nested").keys() == {"half"}
    study, _ = study_and_runs("nested")
    assert not math.isnan(study.data.metrics["difference/half"])

    delete(["nested/half-seed0", "nested/half-seed1"])
    planned = [one for one in plan_runs(spec) if one.condition == "half"]
    listener = make_listener(stop_after=1)
    execute_runs(planned[:1], listener, listener.stop)
    assert verdicts("nested") == {}
    plan = WorkerPlan(1, num_threads())
    for started, workers in ((planned[0], None), (planned[1], plan)):
        if workers is not None:
            delete(["nested/half-seed0"])
            listener = make_listener(stop_after=1)
            execute_runs([started], listener, listener.stop)
            assert verdicts("nested") == {}
        report = resume_workspaces(
            workspaces(), nullcontext(make_listener()), lambda _: nullcontext(), plan=workers
        )
        assert len(report.outcomes) == 1
        assert verdicts("nested").keys() == {"half"}

    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    study, runs = study_and_runs("nested")
    client.set_tag(study.info.run_id, f"{schema.VERDICT}half", "of a person")
    for one in runs:  # trials of a search have no design, and no verdict by the test set
        for tag in [tag for tag in one.data.tags if tag.endswith(".design")]:
            client.delete_tag(one.info.run_id, tag)
    assert all(one.design is None for one in read_runs("nested"))
    assert refresh(["nested", "nosuch"]) == []
    assert verdicts("nested") == {"half": "of a person"}


@pytest.mark.slow
def test_an_experiment_without_a_study_gets_none_by_a_deletion(lab: Path) -> None:
    single = SPEC.partition("conditions:")[0]
    (lab / "nested.yaml").write_text(single)
    run("nested.yaml", seeds=[0], progress=False)
    run("nested.yaml", seeds=[1], progress=False)
    delete("nested/nested-seed0")
    study, runs = study_and_runs("nested")
    assert study is None
    assert len(runs) == 1
    delete("nested")
    assert "nested" not in {one.name for one in list_experiments()}


@pytest.mark.slow
def test_specs_that_share_an_experiment_are_compared_as_compare_does(lab: Path) -> None:
    shared = SPEC.partition("conditions:")[0].replace("[4]", "[4], dropout: RATE") + "experiment: both\n"
    for name, rate in (("none", "0"), ("half", "0.5")):
        (lab / f"{name}.yaml").write_text(shared.replace("nested", name).replace("RATE", rate))
        run(f"{name}.yaml", progress=False)
    study, _ = study_and_runs("both")
    expected = compare("both").comparison.difference("half", "test_loss")
    assert study.data.metrics["difference/half"] == expected.mean_difference
    assert "half vs none" in study.data.tags[schema.DESCRIPTION]


@pytest.mark.slow
def test_a_single_run_needs_no_study(lab: Path) -> None:
    (lab / "single.yaml").write_text(SPEC.partition("conditions:")[0].replace("nested", "single"))
    run("single.yaml", seeds=[0], progress=False)
    study, runs = study_and_runs("single")
    assert study is None
    assert len(runs) == 1


@pytest.mark.slow
def test_conditions_of_a_grid_over_lists_have_a_summary(lab: Path) -> None:
    grid = SPEC.partition("conditions:")[0].replace("hidden: [4]", "dropout: 0")
    (lab / "lists.yaml").write_text(
        grid + "grid: {model.hidden: [[4], [4, 3]]}\nconditions:\n  hidden-4_3: {model: {hidden: [5]}}\n"
    )
    run("lists.yaml", seeds=[0], progress=False)
    means = {one.condition: one.metrics["test_loss"] for one in read_runs("nested")}
    assert means.keys() == {"hidden-4", "hidden-4+3", "hidden-4_3"}
    study, _ = study_and_runs("nested")
    assert study.data.metrics["test_loss/hidden-4_3"] == means["hidden-4_3"]
    assert study.data.metrics["test_loss/hidden-4_3_"] == means["hidden-4+3"]
    assert len(verdicts("nested")) == 2
    assert study.data.tags[schema.DESCRIPTION]
