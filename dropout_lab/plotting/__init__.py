"""Plots of runs and comparisons: numbers, then what is to be drawn, then a figure."""

from dropout_lab.plotting.curves import CURVE_METRICS
from dropout_lab.plotting.plot import Plot
from dropout_lab.plotting.plot_files import save_plots
from dropout_lab.plotting.plots import comparison_plots
from dropout_lab.plotting.reliability import TestPredictions
from dropout_lab.plotting.run_plots import draw_run

__all__ = [
    "CURVE_METRICS",
    "Plot",
    "TestPredictions",
    "comparison_plots",
    "draw_run",
    "save_plots",
]
