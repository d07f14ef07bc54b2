"""Pictures of runs and comparisons: numbers, then what is to be drawn, then a figure."""

from dropout_lab.plotting.curves import CURVE_METRICS
from dropout_lab.plotting.pictures import Picture, comparison_pictures, save_pictures
from dropout_lab.plotting.reliability import TestPredictions
from dropout_lab.plotting.run_pictures import draw_run

__all__ = [
    "CURVE_METRICS",
    "Picture",
    "TestPredictions",
    "comparison_pictures",
    "draw_run",
    "save_pictures",
]
