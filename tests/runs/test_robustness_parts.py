"""Weighted pooling, shifts and inputs from outside the distribution as parts of an evaluation."""

import io
import json

import numpy as np
import pytest

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.evaluation.registry import EVALUATED_METRICS, Measured
from dropout_lab.evaluation.robustness import SEVERITIES, SHIFT_MEASURES
from dropout_lab.models.network import build_network
from dropout_lab.runs.evaluation_parts import evaluate_parts, missing_parts
from dropout_lab.spec import DataSpec, ModelSpec
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.training.trained import TrainedNetwork

pytestmark = pytest.mark.slow

OUTSIDE = ("digits", "uniform")


def trained(data: Dataset, **model: object) -> TrainedNetwork:
    spec = ModelSpec.model_validate({"filters": (2, 3), "hidden_units": 8, "dropout": 0.5, **model})
    network = build_network(spec, data.input_shape, data.num_classes, 0)
    return TrainedNetwork(network, data, 0, "/CPU:0")


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    return load_data(DataSpec(num_train=40, num_test=30, validation=10))


@pytest.fixture(scope="module")
def measured(fashion):
    spec = EvaluationSpec(mc_samples=2, shift=("noise",), ood=OUTSIDE, pooling=True)
    return spec, evaluate_parts(trained(fashion), spec)


def test_all_that_is_asked_for_becomes_metrics(measured):
    _, result = measured
    own = {name: value for name, value in result.metrics.items() if name.startswith(("pwp", "shift", "ood"))}
    assert len([name for name in own if name.startswith("shift")]) == len(SHIFT_MEASURES) * (
        len(SEVERITIES) + 1
    )
    assert {name for name in own if name in EVALUATED_METRICS} == {
        *("pwp_accuracy", "pwp_loss", "pwp_brier", "pwp_ece"),
    }
    assert {"ood_auroc_digits", "mc_ood_mutual_information_fpr95_uniform"} <= result.metrics.keys()
    assert all(metric_info(name).measured is Measured.EVALUATED for name in result.metrics)


def test_entropies_are_kept_for_each_set_and_way_of_prediction(measured):
    _, result = measured
    with np.load(io.BytesIO(result.files["predictions/out_of_distribution.npz"])) as arrays:
        sizes = {name: arrays[name].shape for name in arrays}
        assert max(float(arrays[name].max()) for name in arrays) <= np.log(10) + 1e-3
    assert sizes == {
        "digits": (1797,),
        "digits_mc": (1797,),
        "uniform": (30,),
        "uniform_mc": (30,),
    }


def test_what_was_measured_is_drawn(measured, fashion):
    spec, result = measured
    drawn = {path for path in result.files if path.endswith(".png")}
    names = ("reliability", "risk_coverage", "uncertain_images", "entropy")
    shifts = ("shift_accuracy", "shift_loss", "shift_ece")
    assert drawn == {f"plots/{name}.png" for name in (*names, *shifts)}
    assert all(result.files[path].startswith(b"\x89PNG") for path in drawn)
    (shift,) = [part for part in missing_parts(spec, "") if part.name == "shift"]
    again = evaluate_parts(trained(fashion), spec, [shift])
    assert set(again.files) == {f"plots/{name}.png" for name in shifts}


def test_plots_that_cannot_be_drawn_fail_no_run(fashion, monkeypatch):
    def fail(*_: object) -> None:
        raise ValueError("no font")

    monkeypatch.setattr("dropout_lab.runs.evaluation_parts.draw_evaluation", fail)
    result = evaluate_parts(trained(fashion), EvaluationSpec(mc_samples=2))
    assert "Its plots could not be drawn (no font)." in result.notes
    assert result.metrics["mc_accuracy"] >= 0


def test_a_run_is_evaluated_again_only_for_what_it_lacks(measured):
    spec, result = measured
    (evaluated,) = result.tags.values()
    assert json.loads(evaluated)["shift"] == {"shift": ["noise"]}
    assert missing_parts(spec, evaluated) == []
    more = spec.model_copy(update={"shift": ("noise", "blur")})
    assert [part.name for part in missing_parts(more, evaluated)] == ["shift"]
    assert [part.name for part in missing_parts(EvaluationSpec(mc_samples=2), evaluated)] == []


def test_a_part_for_further_names_is_measured_for_all_that_the_run_has(measured, fashion):
    _, result = measured
    (evaluated,) = result.tags.values()
    more = EvaluationSpec(mc_samples=2, shift=("blur",))
    parts = missing_parts(more, evaluated)
    again = evaluate_parts(trained(fashion), more, parts, evaluated)
    (tag,) = again.tags.values()
    assert json.loads(tag) == json.loads(evaluated) | {"shift": {"shift": ["noise", "blur"]}}
    own = {name: value for name, value in result.metrics.items() if name.startswith("shift")}
    assert again.metrics.items() >= own.items()
    assert "shift_loss_blur" in again.metrics
    assert missing_parts(EvaluationSpec(mc_samples=2, shift=("noise",)), tag) == []


def test_weighted_pooling_is_left_out_with_a_note_where_it_does_not_apply(fashion):
    after = trained(fashion, dropout_position="after_pooling")
    spec = EvaluationSpec(mc_samples=2, pooling=True)
    parts = [part for part in missing_parts(spec, "") if part.name == "weighted_pooling"]
    result = evaluate_parts(after, spec, parts)
    assert result.metrics == {}
    assert result.notes[0].startswith("Probabilistic weighted pooling does not apply")


def test_without_dropout_weighted_pooling_and_monte_carlo_are_the_plain_prediction(fashion):
    spec = EvaluationSpec(mc_samples=2, ood="uniform", pooling=True)
    metrics = evaluate_parts(trained(fashion, dropout=0), spec).metrics
    for name in ("accuracy", "loss", "brier", "ece"):
        assert metrics[f"pwp_{name}"] == pytest.approx(metrics[f"mc_{name}"], abs=1e-6)
    assert metrics["mc_ood_auroc_uniform"] == metrics["ood_auroc_uniform"]
    assert metrics["mc_ood_mutual_information_auroc_uniform"] == 0.5


def test_sets_with_the_classes_of_the_dataset_are_left_out_of_all():
    digits = load_data(DataSpec(dataset="digits", num_test=30))
    spec = EvaluationSpec(mc_samples=2, ood="all")
    result = evaluate_parts(trained(digits), spec)
    assert "Not out of distribution, since digits has the same classes: digits." in result.notes
    assert "ood_auroc_digits" not in result.metrics
    others = ("uniform", "inverted_test", "shuffled_test")
    mean = np.mean([result.metrics[f"ood_fpr95_{name}"] for name in others])
    assert result.metrics["ood_fpr95"] == pytest.approx(mean)
