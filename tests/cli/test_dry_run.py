import json
from dataclasses import replace

import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.cli.dry_run import expected_sentence, print_plans, resolved, run_table
from dropout_lab.errors import UsageError
from dropout_lab.runs.dry_run import dry_run
from dropout_lab.runs.expected_time import ExpectedTime
from dropout_lab.spec import condition_settings, load_spec, override_spec


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder is one without a store."""
    monkeypatch.chdir(tmp_path)


def print_plan(spec):
    print_plans([dry_run(spec)], as_json=False)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: pair\nexperiment: pair\nseeds: 2\ntraining: {epochs: 2, batch_size: 100}\n"
        "data: {num_train: 1000}\nmodel: {filters: [4, 8], hidden_units: 16}\n"
        "conditions:\n  baseline: {}\n"
        "  dropout: {model: {dropout: {dense: 0.5}}, training: {learning_rate: 0.01}}\n"
    )
    return load_spec(path)


def test_each_value_that_will_be_used_is_shown_once(spec):
    shown = resolved(spec, condition_settings(spec))
    assert shown["training"]["epochs"] == 2
    assert shown["training"]["batch_size"] == 100
    assert "learning_rate" not in shown["training"]
    assert shown["data"]["num_train"] == 1000
    assert shown["conditions"] == {
        "baseline": {"model": {"dropout": {"dense": 0.0}}, "training": {"learning_rate": 0.001}},
        "dropout": {"model": {"dropout": {"dense": 0.5}}, "training": {"learning_rate": 0.01}},
    }
    assert shown["model"]["dropout"] == {"conv1": 0.0, "conv2": 0.0}
    alone = spec.model_copy(update={"conditions": {}})
    assert "conditions" not in resolved(alone, condition_settings(alone))


def test_runs_rates_and_the_model_are_shown(spec, capsys):
    print_plan(spec)
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert [row[0] for row in rows if row[1:] == ["unknown"]] == [
        "baseline-seed0",
        "dropout-seed0",
        "baseline-seed1",
        "dropout-seed1",
    ]
    assert "4 runs" in out
    assert "Expected time: not known yet" in " ".join(out.split())
    assert ["Site", "Kind", "Shape", "As", "built", "baseline", "dropout"] in rows
    assert ["conv1", "Dropout", *["28", "x", "28", "x", "4", "0", "0", "0"]] in rows
    assert ["dense", "Dropout", "16", "0", "0", "0.5"] in rows
    assert out.count("conv2d_1 (Conv2D)") == 1
    other = spec.conditions["dropout"].model_copy(
        update={"model": spec.model.model_copy(update={"hidden_units": 8})}
    )
    print_plan(spec.model_copy(update={"conditions": {**spec.conditions, "small": other}}))
    out = capsys.readouterr().out
    assert out.count("conv2d_1 (Conv2D)") == 2
    assert "Model of baseline, dropout:" in out
    assert "Model of small:" in out


def test_the_kind_at_each_site_is_shown_and_checked(spec, capsys):
    def with_dropout(dropout):
        changed = override_spec(spec, [f"conditions.dropout.model.dropout={dropout}"])
        print_plan(changed)
        return [line.split("  ") for line in capsys.readouterr().out.splitlines()]

    rows = with_dropout("{conv1: {kind: dropblock, rate: 0.1}, dense: {kind: gaussian, rate: 0.5}}")
    shown = {row[0].strip(): row[-1].strip() for row in rows if row[0] in ("conv1", "conv2", "dense")}
    assert shown == {"conv1": "0.1 dropblock, block_size 7", "conv2": "0", "dense": "0.5 gaussian"}
    kind_first = "conditions.baseline.model.dropout={dense: {kind: gaussian, rate: 0.5}}"
    shown = resolved(both := override_spec(spec, [kind_first]), condition_settings(both))
    assert [shown["conditions"][name]["model"]["dropout"]["dense"] for name in both.conditions] == [
        {"rate": 0.5, "kind": "gaussian"},
        0.5,
    ]
    with pytest.raises(UsageError, match=r"^condition dropout: model\.dropout\.dense\.kind: spatial drops"):
        with_dropout("{dense: {kind: spatial, rate: 0.5}}")


def test_sites_of_a_network_of_the_users_are_shown(tmp_path, capsys):
    (tmp_path / "shown_network.py").write_text(
        "import keras\nfrom keras import layers\n\n\ndef build(input_shape, num_classes):\n"
        "    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(4),\n"
        "        layers.Dropout(0.25, name='top'), layers.Dense(num_classes)])\n"
    )
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"name: own\nmodel: {{network: '{tmp_path}/shown_network.py:build'}}\n"
        "conditions: {built: {}, half: {model: {dropout: {t*: 0.5}}}, mlp: {model: {network: mlp}}}\n"
    )
    print_plan(load_spec(path))
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["top", "Dropout", "4", "0.25", "0.25", "0.5"] in rows
    assert ["hidden_1", "Dropout", "1024", "0", "0"] in rows
    assert "Model of built, half:" in out
    with pytest.raises(UsageError, match=r"of half: unknown site: 'tup' \(did you mean 'top'\?\)"):
        print_plan(load_spec(path, ["conditions.half.model.dropout={tup: 0.5}"]))


def test_schedules_are_shown_beside_the_rates(spec, capsys):
    changing = {"dense": {"rate": 0.5, "schedule": {"shape": "early", "until": 1}}}
    early = spec.conditions["dropout"].model_validate({"model": {"dropout": changing}})
    print_plan(spec.model_copy(update={"conditions": {**spec.conditions, "early": early}}))
    out = capsys.readouterr().out
    (row,) = [line for line in out.splitlines() if line.split()[:2] == ["dense", "Dropout"]]
    assert row.split()[-6:] == ["0.5", "0.5,", "early", "until", "epoch", "1"]
    assert "schedule: {shape: early, until: 1, unit: epochs}" in out


def test_times_are_shown_per_run_and_in_total(spec):
    plan = dry_run(spec)
    first, *others = (replace(one, time=ExpectedTime(50.0, 3)) for one in plan.runs)
    timed = replace(plan, runs=(replace(first, is_finished=True), *others), num_workers=2)
    assert [row[1] for row in run_table(timed).rows] == ["finished", "50 s", "50 s", "50 s"]
    assert expected_sentence(timed) == (
        "Expected time: about 75 s for 3 runs, 2 at once (estimated from 3 finished runs with this network,"
        " data size, engine and hardware)"
    )
    done = replace(plan, runs=tuple(replace(one, is_finished=True) for one in timed.runs))
    assert expected_sentence(done) == "Expected time: none, all runs are finished"


def test_the_plan_of_each_spec_is_printed_as_json(spec, capsys):
    print_plans([dry_run(spec), dry_run(override_spec(spec, ["seeds=1"]), "3")], as_json=True)
    first, second = json.loads(capsys.readouterr().out)
    assert [one["run_name"] for one in first["runs"]][:2] == ["baseline-seed0", "dropout-seed0"]
    assert first["expected_seconds"] is None
    assert first["spec"]["training"]["epochs"] == 2
    assert (first["num_workers"], second["num_workers"]) == (1, 3)
    assert len(second["runs"]) == 2


def test_a_look_ahead_at_a_cluster_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("name: a\n")
    monkeypatch.setattr("sys.argv", ["dropout-lab", "run", "a.yaml", "--dry-run", "--executor", "ray"])
    assert command_line._main() == 2
    assert "--dry-run: looks ahead on this machine" in capsys.readouterr().err
