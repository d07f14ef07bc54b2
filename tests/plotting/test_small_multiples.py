import numpy as np

from dropout_lab.plotting.curves import Curve, LearningCurves
from dropout_lab.plotting.small_multiples import draw_small_multiples
from dropout_lab.plotting.style import DARK, LIGHT


def curve(condition: str, value: float) -> Curve:
    mean = tuple((1 - value / np.arange(1, 7)).tolist())
    return Curve(condition=condition, part="validation", num_seeds=3, mean=mean, low=mean, high=mean)


CURVES = tuple(curve(name, 0.1 * number) for number, name in enumerate(("none", "a", "b", "c", "$d$")))


def test_each_condition_has_a_row_with_the_reference_in_gray() -> None:
    figure = draw_small_multiples(LearningCurves(loss=CURVES, accuracy=CURVES), "none", DARK)
    rows = [figure.axes[i : i + 2] for i in range(0, len(figure.axes), 2)]
    assert [row[0].get_title(loc="left") for row in rows] == ["a", "b", "c", r"\$d\$"]
    for row in rows:
        for axes in row:
            gray, own = axes.get_lines()
            assert gray.get_color() == DARK.muted != own.get_color()
            assert tuple(gray.get_ydata()) == CURVES[0].mean


def test_the_first_epoch_does_not_set_the_scale() -> None:
    axes = draw_small_multiples(LearningCurves(loss=CURVES, accuracy=CURVES), "none", LIGHT).axes[0]
    assert axes.get_ylim()[0] > CURVES[-1].mean[0]
