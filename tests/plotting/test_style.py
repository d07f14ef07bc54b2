import itertools
import os
import subprocess
import sys
import warnings

import matplotlib as mpl
import pytest

from dropout_lab.plotting.style import (
    DARK,
    LIGHT,
    MARKERS,
    new_figure,
    percent,
    plain,
    render,
    series_style,
    style_axes,
)


def relative_luminance(color: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    channels = mpl.colors.to_rgb(color)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((relative_luminance(one), relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_its_background(theme):
    assert contrast(theme.foreground, theme.background) >= 7
    assert contrast(theme.muted, theme.background) >= 4.5
    assert all(contrast(color, theme.background) >= 3 for color in theme.series[:3])


def test_each_of_ten_conditions_looks_different():
    assert len({series_style(index, LIGHT) for index in range(len(MARKERS))}) == len(MARKERS)
    # The first conditions differ in both, so that either is enough.
    for one, other in itertools.combinations([series_style(index, DARK) for index in range(5)], 2):
        assert one[0] != other[0]
        assert one[1] != other[1]


def test_percent():
    assert [percent()(value, 0) for value in (0.915, -0.002, 1, 0)] == [
        "91.5",
        "-0.2",
        "100",
        "0",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dropout", "dropout"),
        ("$\\frac$", "\\$\\frac\\$"),
        ("_hidden", " _hidden"),
        ("two\nlines", "two lines"),
        ("x" * 40, "x" * 35 + "\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_names_are_shown_as_they_are(name, shown):
    assert plain(name) == shown


@pytest.mark.parametrize("name", ["$\\frac{1}$", "<script>", "辍学", "_x", "&amp;"])
@pytest.mark.parametrize("plot_format", ["png", "svg"])
def test_any_name_can_be_drawn_quietly_and_repeatably(name, plot_format):
    def draw() -> bytes:
        figure = new_figure(2, LIGHT)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], label=plain(name))
        style_axes(axes, LIGHT, title=plain(name), xlabel="", ylabel="")
        axes.legend()
        return render(figure, plot_format)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = draw()
    assert draw() == first
    assert first.startswith(b"\x89PNG" if plot_format == "png" else b"<?xml")


def test_settings_of_the_process_are_left_alone():
    before = dict(mpl.rcParams)
    render(new_figure(2, DARK), "svg")
    assert dict(mpl.rcParams) == before


def test_a_matplotlibrc_of_the_users_changes_nothing(tmp_path):
    settings = tmp_path / "matplotlibrc"
    settings.write_text("text.usetex: True\nfont.size: 40\nlines.linewidth: 9\nsavefig.transparent: True\n")
    code = """
import hashlib, numpy
from dropout_lab.plotting.confusion import ConfusionData, draw_confusion
from dropout_lab.plotting.style import render

data = ConfusionData(
    class_names=("a", "b"), counts=numpy.eye(2, dtype=int), shares=numpy.eye(2), accuracy=1.0
)
print(hashlib.sha256(render(draw_confusion(data), "svg")).hexdigest())
"""

    def digest(**variables: str) -> str:
        command, environment = [sys.executable, "-c", code], os.environ | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert digest(MATPLOTLIBRC=str(settings)) == digest()
