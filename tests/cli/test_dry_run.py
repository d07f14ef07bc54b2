import pytest

from dropout_lab.cli.dry_run import print_plan, resolved
from dropout_lab.spec import load_spec


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
    shown = resolved(spec)
    assert shown["training"]["epochs"] == 2
    assert shown["training"]["batch_size"] == 100
    assert "learning_rate" not in shown["training"]
    assert shown["data"]["num_train"] == 1000
    assert shown["conditions"] == {
        "baseline": {"model": {"dropout": {"dense": 0.0}}, "training": {"learning_rate": 0.001}},
        "dropout": {"model": {"dropout": {"dense": 0.5}}, "training": {"learning_rate": 0.01}},
    }
    assert shown["model"]["dropout"] == {"conv1": 0.0, "conv2": 0.0}
    assert "conditions" not in resolved(spec.model_copy(update={"conditions": {}}))


def test_runs_rates_and_the_model_are_shown(spec, capsys):
    print_plan(spec)
    out = capsys.readouterr().out
    assert "4 runs: baseline-seed0, dropout-seed0, baseline-seed1, dropout-seed1" in out
    assert "dropout: conv1 0, conv2 0, dense 0.5" in out
    assert out.count("conv2d_1 (Conv2D)") == 1
    other = spec.conditions["dropout"].model_copy(
        update={"model": spec.model.model_copy(update={"hidden_units": 8})}
    )
    print_plan(spec.model_copy(update={"conditions": {**spec.conditions, "small": other}}))
    out = capsys.readouterr().out
    assert out.count("conv2d_1 (Conv2D)") == 2
    assert "Model of baseline, dropout:" in out
    assert "Model of small:" in out
