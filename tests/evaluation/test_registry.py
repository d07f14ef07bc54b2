"""The registry agrees with what is measured, logged and accepted in specs."""

from dataclasses import fields

import pytest

from dropout_lab.evaluation.metrics import DEFAULT_METRICS, metric_info
from dropout_lab.evaluation.registry import (
    CLASS_ACCURACY,
    DROPPED_FRACTION,
    EPOCH_METRICS,
    FINAL_METRICS,
    METRICS,
    SYSTEM,
    Measured,
    Unit,
)
from dropout_lab.records import EpochMetrics
from dropout_lab.spec import Spec


def test_every_metric_has_a_label_and_a_definition() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.definition.endswith(".")
        assert metric.measured is not Measured.UNKNOWN


def test_an_epoch_has_the_metrics_of_an_epoch() -> None:
    assert {field.name for field in fields(EpochMetrics)} - {"epoch", "end_time_ms", "rates"} == set(
        EPOCH_METRICS
    )


def test_defaults_can_be_compared() -> None:
    assert set(DEFAULT_METRICS) <= set(FINAL_METRICS)
    assert all(metric_info(name).margin for name in DEFAULT_METRICS)


def test_a_gap_is_a_difference_of_two_final_metrics_of_its_unit() -> None:
    gaps = [metric for metric in METRICS.values() if metric.gap_of]
    assert [gap.name for gap in gaps] == ["generalization_gap", "loss_gap"]
    for gap in gaps:
        assert gap.is_gap
        assert {METRICS[name].unit for name in gap.gap_of or ()} == {gap.unit}
        assert set(gap.gap_of or ()) < set(FINAL_METRICS)


@pytest.mark.parametrize("metric", FINAL_METRICS)
def test_a_spec_can_name_every_final_metric(metric: str) -> None:
    spec = Spec.model_validate({"name": "a", "primary": metric, "margins": {metric: 0.5}})
    assert (spec.primary, spec.margins.model_dump(exclude_none=True)) == (metric, {metric: 0.5})


def test_families_name_their_members_and_find_them_again() -> None:
    names = [*map(CLASS_ACCURACY.name, (10, 9, "Shirt")), DROPPED_FRACTION.name("conv1"), "test_accuracy"]
    assert names[:2] == ["test_accuracy_class_10", "test_accuracy_class_9"]
    assert CLASS_ACCURACY.members([*names, *names]) == ["9", "10", "Shirt"]
    assert DROPPED_FRACTION.members(names) == ["conv1"]
    assert SYSTEM.member("system/cpu_utilization_percentage") == "cpu_utilization_percentage"
    assert SYSTEM.member("test_accuracy") is None


def test_a_member_has_the_properties_of_its_family() -> None:
    shirts = metric_info("test_accuracy_class_6")
    assert (shirts.name, shirts.label) == ("test_accuracy_class_6", "test accuracy class 6")
    assert (shirts.margin, shirts.higher_is_better, shirts.measured) == (0.01, True, Measured.FINAL)
    dropped = metric_info("dropped_fraction_conv1")
    assert (dropped.higher_is_better, dropped.margin, dropped.percent) == (None, None, True)


def test_metrics_of_others_are_known_by_their_form() -> None:
    held_out = metric_info("held_out_ece")
    assert held_out.label == "held out calibration error"
    assert (held_out.higher_is_better, held_out.margin) == (False, 0.005)
    assert held_out.measured is Measured.UNKNOWN
    assert metric_info("fit_seconds").unit is Unit.SECONDS
    assert metric_info("accuracy_of_nothing").higher_is_better is None
