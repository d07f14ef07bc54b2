"""Conditions are compared within equal values of a setting."""

from pathlib import Path

import numpy as np
import pytest

import dropout_lab as dl

SPEC = {
    "name": "sizes",
    "seeds": 3,
    "training": {"epochs": 1, "batch_size": 50},
    "model": {"network": "mlp", "hidden": (4,)},
    "data": {"num_test": 50, "validation": "test"},
    "grid": {"model.dropout": [0, 0.5], "data.num_train": [100, 50]},
}


@pytest.mark.slow
def test_each_value_has_its_own_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dl.run(dl.Spec(**SPEC), progress=False)
    found = dl.compare_within("data.num_train", "sizes")
    assert list(found) == ["50", "100"]
    for value, result in found.items():
        comparison = result.comparison
        assert comparison.confidence == pytest.approx(0.975)
        assert {run.spec["data.num_train"] for run in comparison.runs} == {value}
        assert {run.spec["model.dropout.hidden_1"] for run in comparison.runs} == {"0.0", "0.5"}
        assert comparison.experiment == f"sizes, data.num_train {value}"
        assert "2 values together err in at most 5% of cases" in comparison.notes[0]
        (difference,) = [one for one in comparison.differences if one.metric == comparison.primary]
        alone = dl.compare(
            "sizes", confidence=0.975, conditions=[difference.condition], reference=difference.reference
        )
        same = alone.comparison.difference(difference.condition, comparison.primary)
        assert np.isclose(same.mean_difference, difference.mean_difference)
    with pytest.raises(dl.DropoutLabError, match=r"no run has the setting 'data.num_trian'.*data.num_train"):
        dl.compare_within("data.num_trian", "sizes")


@pytest.mark.slow
def test_runs_with_a_default_that_is_not_logged_are_a_value_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grid = {"model.dropout": [0, 0.5], "model.batch_normalization": [False, True]}
    data = {"num_train": 50, "num_test": 50}
    dl.run(dl.Spec(**SPEC | {"grid": grid, "data": data, "seeds": 2}), progress=False)
    found = dl.compare_within("model.batch_normalization", "sizes")
    assert list(found) == ["False", "True"]
    assert all(result.comparison.confidence == pytest.approx(0.975) for result in found.values())
