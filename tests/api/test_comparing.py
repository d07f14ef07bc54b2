"""`compare`: the same comparison from a name, a frame and a result, in every form."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dropout_lab as dl
from dropout_lab.api.results import ComparisonResult
from dropout_lab.reporting.data import json_value
from dropout_lab.tracking import load_test_probs


def test_a_name_a_frame_and_a_result_give_the_same_comparison(in_trained: Any) -> None:
    found = [
        json_value(dl.compare(runs, margins=0.01).comparison)
        for runs in (None, "tiny", dl.load_runs("tiny"), in_trained.result)
    ]
    assert found[0] == found[1] == found[2] == found[3]
    frame = in_trained.result.runs.pivot(index="seed", columns="condition", values="test_accuracy")
    expected = (frame["half"] - frame["none"]).mean()
    assert found[0]["differences"][0]["mean_difference"] == pytest.approx(expected)
    assert [one["claim"]["metric"] for one in found[0]["claims"]] == ["test_loss"]


def test_conditions_that_differ_in_their_inputs_are_trained_alike_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = dl.Spec(
        name="scales",
        seeds=range(2),
        training={"epochs": 1, "batch_size": 50},
        data={"num_train": 100, "num_test": 50},
        model={"filters": (4, 8), "hidden_units": 16, "dropout": 0.2},
        conditions={scale: {"data": {"scale": scale}} for scale in ("unit", "standardize")},
    )
    result = dl.run(spec, progress=False)
    assert set(dl.load_runs("scales")["engine"]) == {"stock"}
    comparison = result.compare().comparison
    assert comparison.conditions == ("unit", "standardize")
    assert comparison.differences


def test_the_rows_of_a_frame_choose_the_runs(in_trained: Any) -> None:
    runs = dl.load_runs("tiny")
    single = dl.compare(runs[runs["seed"] == 1])
    assert {run.seed for run in single.comparison.runs} == {1}
    assert single.comparison.single_runs


def test_single_runs_with_other_test_examples_are_not_paired(in_trained: Any, monkeypatch: Any) -> None:
    def load(run: Any) -> Any:
        probs, labels = load_test_probs(run)
        return (probs[::-1], labels[::-1]) if run.condition == "half" else (probs, labels)

    monkeypatch.setattr("dropout_lab.tracking.load_test_probs", load)
    runs = dl.load_runs("tiny")
    found = dl.compare(runs[runs["seed"] == 1]).comparison
    assert found.single_runs == ()
    assert "half and none have other test labels" in found.notes[-1]


def test_every_plot_and_the_report(in_trained: Any, tmp_path: Path) -> None:
    result = in_trained.result.compare(ensemble=True)
    assert len(result.predictions) == 4
    assert {one.condition for one in result.comparison.ensembles} == {"none", "half"}
    names = [plot.name for plot in result.plots()]
    assert {"forest", "learning_curves", "reliability"} <= set(names)
    assert all(result.plot(name).axes for name in names)
    assert result.plot()._repr_png_().startswith(b"\x89PNG")
    text = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Reliability" in text
    assert "127.0.0.1" not in text, "a link that is dead for readers elsewhere"


def test_the_test_images_are_read_again_only_if_they_are_those_of_the_runs(in_trained: Any) -> None:
    result = in_trained.result.compare()
    images, names = result.test_data
    labels = next(iter(result.predictions.values()))[1]
    assert images.shape[0] == len(labels)
    assert len(names) == 10

    notes: list[str] = []
    others = [replace(run, data_digest="others") for run in result.comparison.runs]
    other = ComparisonResult(
        replace(result.comparison, runs=tuple(others)), notes.append, known_predictions=result.predictions
    )
    assert other.test_data == (None, ())
    assert notes == ["Test images not shown: the data are not those of the run."]


def test_claims_of_another_spec(in_trained: Any) -> None:
    claim = {"metric": "test_accuracy", "condition": "half", "reference": "none", "expected": "equivalent"}
    spec = dl.Spec(name="other", conditions={"none": {}, "half": {}}, claims=[{**claim, "margin": 0.9}])
    (found,) = dl.compare("tiny", claims=spec).comparison.claims
    assert found.claim.expected == "equivalent"


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        (None, {"pair_by": "params.seed"}, "pair_by: needs group_by"),
        ("tny", {}, "did you mean 'tiny'"),
        (pd.DataFrame({"run_id": ["a"]}), {}, "no column 'experiment'"),
        (pd.DataFrame({"run_id": [], "experiment": []}), {}, "no rows"),
        (pd.DataFrame({"run_id": ["a", "b"], "experiment": ["x", "y"]}), {}, "2 experiments: x, y"),
        (pd.DataFrame({"run_id": ["a"], "experiment": ["x"]}), {"group_by": ["params.a"]}, "group_by: needs"),
        ("tiny", {"conditions": ["halb"]}, "did you mean 'half'"),
        ("tiny", {"method": "wilcoxn"}, "did you mean 'wilcoxon'"),
    ],
)
def test_wrong_arguments_are_errors_of_the_library(
    runs: Any, options: Any, message: str, in_trained: Any
) -> None:
    with pytest.raises(dl.DropoutLabError, match=message):
        dl.compare(runs, **options)
