"""Conditions are compared within equal values of a setting."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.records import RunRecord

MakeRun = Callable[..., RunRecord]

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


def of_sizes(make_run: MakeRun, conditions: Mapping[str, Sequence[str]]) -> list[RunRecord]:
    """Return runs of two seeds with a number of hidden units, by that number the conditions."""
    return [
        make_run(
            name, seed, minute=minute, test_accuracy=0.8 + seed / 100, spec={"model.hidden_units": units}
        )
        for minute, (units, names) in enumerate(conditions.items(), start=1)
        for name in names
        for seed in (0, 1)
    ]


def test_a_value_that_cannot_be_judged_is_reported_and_stops_no_other(make_run: MakeRun) -> None:
    both = ("baseline", "dropout")
    found = dl.compare_within(
        "model.hidden_units", of_sizes(make_run, {"8": both, "16": ("baseline",), "32": both})
    )
    assert list(found) == ["8", "32"]
    for result in found.values():
        assert result.comparison.confidence == pytest.approx(1 - 0.05 / 3)
        told = [note for note in result.comparison.notes if "is not judged" in note]
        assert told == ["model.hidden_units 16 is not judged: only baseline has finished runs"]


def test_without_any_value_to_judge_all_reasons_are_given(make_run: MakeRun) -> None:
    runs = of_sizes(make_run, {"8": ("baseline",), "16": ("dropout",)})
    with pytest.raises(dl.DropoutLabError) as error:
        dl.compare_within("model.hidden_units", runs)
    assert "model.hidden_units 8 is not judged: only baseline" in str(error.value)
    assert "model.hidden_units 16 is not judged: only dropout" in str(error.value)
    both = of_sizes(make_run, {"8": ("baseline", "dropout"), "16": ("baseline", "dropout")})
    with pytest.raises(dl.DropoutLabError, match=r"^No run has the metric 'test_acuracy' \(did you mean"):
        dl.compare_within("model.hidden_units", both, primary="test_acuracy")


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
