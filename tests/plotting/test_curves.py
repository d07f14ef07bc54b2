from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dropout_lab.plotting.curves import TRAIN, VALIDATION, condition_curves, draw_curves, run_curves
from dropout_lab.plotting.style import DARK
from dropout_lab.records import EpochMetrics, RunRecord, RunStatus

EPOCHS = [
    EpochMetrics(
        epoch=1, loss=0.7, accuracy=0.75, val_loss=0.4, val_accuracy=0.85, epoch_seconds=1, end_time_ms=0
    ),
    EpochMetrics(
        epoch=2, loss=0.5, accuracy=0.85, val_loss=0.3, val_accuracy=0.88, epoch_seconds=1, end_time_ms=1
    ),
]


def run(condition: str, seed: int, val_loss: tuple[float, ...]) -> RunRecord:
    return RunRecord(
        run_id=f"{condition}{seed}",
        run_name=f"{condition} seed {seed}",
        experiment_id="1",
        experiment_name="study",
        status=RunStatus.FINISHED,
        condition=condition,
        seed=seed,
        start_time=datetime(2026, 1, 1, tzinfo=UTC),
        history={
            "loss": tuple(2 * v for v in val_loss),
            "val_loss": val_loss,
            "accuracy": tuple(1 - v for v in val_loss),
            "val_accuracy": tuple(1 - v / 2 for v in val_loss),
        },
    )


def test_one_run_has_a_train_and_a_validation_curve_in_each_panel():
    data = run_curves(EPOCHS)
    assert [(c.part, c.mean) for c in data.loss] == [(TRAIN, (0.7, 0.5)), (VALIDATION, (0.4, 0.3))]
    assert [(c.part, c.mean) for c in data.accuracy] == [(TRAIN, (0.75, 0.85)), (VALIDATION, (0.85, 0.88))]
    assert list(data.loss[0].epochs) == [1, 2]
    assert all(c.low == c.mean == c.high and c.num_seeds == 1 for c in data.loss + data.accuracy)


def test_the_band_of_a_condition_spans_its_seeds():
    runs = [
        run("a", 0, (0.4, 0.2)),
        run("a", 1, (0.5, 0.4)),
        run("a", 2, (0.9, 0.3)),
        run("b", 0, (0.1, 0.1)),
    ]
    curves = {(c.condition, c.part): c for c in condition_curves(runs, ["b", "a"]).loss}
    assert list(curves) == [("b", VALIDATION), ("a", VALIDATION)], "training metrics have dropout on"
    validation = curves["a", VALIDATION]
    assert validation.num_seeds == 3
    assert validation.mean == pytest.approx(((0.4 + 0.5 + 0.9) / 3, (0.2 + 0.4 + 0.3) / 3))
    assert (validation.low, validation.high) == ((0.4, 0.2), (0.9, 0.4))


def test_a_band_ends_where_the_shortest_run_does():
    runs = [run("a", 0, (0.4, 0.2, 0.1)), run("a", 1, (0.5, 0.4))]
    assert all(list(c.epochs) == [1, 2] for c in condition_curves(runs, ["a"]).loss)


def test_a_run_without_history_is_left_out():
    runs = [run("a", 0, (0.4, 0.2)), replace(run("a", 1, (0.5,)), history={})]
    assert [c.num_seeds for c in condition_curves(runs, ["a", "absent"]).accuracy] == [1]


def test_conditions_and_parts_differ_without_colour():
    runs = [run(name, seed, (0.4, 0.2)) for name in "ab" for seed in (0, 1)]
    for data in (condition_curves(runs, ["a", "b"]), run_curves(EPOCHS)):
        lines = draw_curves(data, DARK).axes[0].get_lines()
        looks = {(line.get_marker(), line.get_linestyle()) for line in lines}
        assert len(looks) == len(lines) == 2


def test_the_first_of_many_epochs_does_not_set_the_scale():
    runs = [run("a", seed, (9.0, 0.4, 0.3, 0.2 + seed / 100)) for seed in (0, 1)]
    low, high = draw_curves(condition_curves(runs, ["a"])).axes[0].get_ylim()
    assert (low, high) == pytest.approx((0.2 - 0.08 * 0.2, 0.4 + 0.08 * 0.2))
    one_run = draw_curves(run_curves([replace(EPOCHS[0], loss=9.0), *EPOCHS, EPOCHS[1]]))
    assert one_run.axes[0].get_ylim()[1] > 9, "a run's own plot shows all"
    short = [run("a", 0, (9.0, 0.4, 0.3))]
    assert draw_curves(condition_curves(short, ["a"])).axes[0].get_ylim()[1] > 9


def test_accuracy_axis_is_in_percent():
    figure = draw_curves(run_curves(EPOCHS))
    accuracy = figure.axes[1]
    assert accuracy.get_ylabel() == "accuracy (%)"
    assert accuracy.yaxis.get_major_formatter()(0.85, 0) == "85"


def test_one_epoch_has_one_tick():
    axes = draw_curves(run_curves(EPOCHS[:1])).axes[0]
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
