import math

from dropout_lab.comparison.seed_noise import SeedNoise
from dropout_lab.comparison.seed_plan import outcomes, seed_goal
from dropout_lab.plotting.power_curve import PowerCurve, draw_power_curves
from dropout_lab.plotting.style import DARK, render
from dropout_lab.statistics.sequential import SequentialDesign

GOAL = seed_goal("test_accuracy")
NOISE = SeedNoise(sd_difference=0.003, sd_degrees=math.inf, source="")


def curve(first: int, most: int) -> PowerCurve:
    design = SequentialDesign(first=first, most=most)
    return PowerCurve(label=f"{first} to {most}", outcomes=outcomes(design, [0.0, 0.002, 0.005], GOAL, NOISE))


def test_both_panels_show_every_design_against_the_true_difference() -> None:
    curves = [curve(8, 8), curve(5, 10)]
    upper, lower = draw_power_curves(curves, "test_accuracy").axes
    for index, one in enumerate(curves):
        for axes, name in ((upper, "found"), (lower, "expected_seeds")):
            x, y = axes.lines[index].get_data()
            assert list(x) == [0.0, 0.002, 0.005]
            assert list(y) == [getattr(outcome, name) for outcome in one.outcomes]
    assert [text.get_text() for text in upper.get_legend().get_texts()] == ["8 to 8", "5 to 10"]
    assert lower.get_xlabel() == "true difference in test accuracy (percentage points)"
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("difference found", "seeds per condition")


def test_it_renders_in_both_themes() -> None:
    plain = render(draw_power_curves([curve(5, 10)], "test_loss"), "png")
    dark = render(draw_power_curves([curve(5, 10)], "test_loss", DARK), "png")
    assert plain != dark
