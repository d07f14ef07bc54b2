import numpy as np
import pytest

from dropout_lab.plotting.severity import MEAN, describe, draw_severity, severity_curves
from dropout_lab.plotting.style import DARK


def metrics(test: float, **shifts: tuple[float, ...]) -> dict[str, float]:
    values = {"test_accuracy": test}
    for name, by_severity in shifts.items():
        values |= {f"shift_accuracy_{name}_{s}": value for s, value in enumerate(by_severity, start=1)}
        values[f"shift_accuracy_{name}"] = sum(by_severity) / len(by_severity)
    return values | {"shift_accuracy": 0.1, "shift_loss_noise_1": 2.0}


RUNS = {
    "baseline": [metrics(0.9, noise=(0.8, 0.5), blur=(0.7, 0.7)), metrics(0.92, noise=(0.84, 0.6))],
    "dropout": [metrics(0.91, noise=(0.85, 0.7), blur=(0.8, 0.6))],
}


def test_curves_start_at_the_unchanged_images_and_span_the_seeds():
    data = severity_curves(RUNS)
    assert list(data.panels) == ["noise", "blur", MEAN]
    baseline, dropout = data.panels["noise"]
    assert baseline.num_seeds == 2
    assert baseline.mean == pytest.approx((0.91, 0.82, 0.55))
    assert (baseline.low, baseline.high) == ((0.9, 0.8, 0.5), (0.92, 0.84, 0.6))
    assert dropout.mean == dropout.low == (0.91, 0.85, 0.7)
    # One of the two runs has no blur.
    assert [curve.num_seeds for curve in data.panels["blur"]] == [1, 1]
    assert data.panels[MEAN][0].mean == pytest.approx((0.9, (0.8 + 0.7) / 2, (0.5 + 0.7) / 2))


def test_there_is_no_mean_of_one_shift_and_no_plot_of_none():
    assert list(severity_curves({"a": [metrics(0.9, noise=(0.8,))]}).panels) == ["noise"]
    assert severity_curves({"a": [{"test_accuracy": 0.9}], "b": []}) is None


def test_losses_are_drawn_in_nats():
    runs = {"a": [{"test_loss": 0.2, "shift_loss_noise_1": 0.4, "shift_loss_noise_2": 0.9}]}
    data = severity_curves(runs, "loss")
    assert draw_severity(data).axes[0].get_ylabel() == "test loss (nats)"
    assert describe(data) == "noise: a 0.2000 to 0.9000"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_shift_has_a_panel_and_each_condition_an_entry(number):
    shifts = dict.fromkeys(("noise", "blur", "contrast")[:number], (0.8, 0.7))
    data = severity_curves({c: [metrics(0.9, **shifts), metrics(0.91, **shifts)] for c in "ab"})
    figure = draw_severity(data, DARK)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in shown] == list(data.panels)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "a: mean and range of 2 seeds",
        "b: mean and range of 2 seeds",
    ]
    lines = shown[0].get_lines()
    assert np.array_equal(lines[0].get_xdata(), [0, 1, 2])
    assert lines[0].get_ydata() == pytest.approx([0.905, 0.8, 0.7])
