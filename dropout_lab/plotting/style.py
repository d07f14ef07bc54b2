"""How every plot looks, and its bytes: the same input gives the same file, whatever the reader's settings.

Figures are made with matplotlib's object API, so that no global state is touched, and drawn about 4 inches
wide, so that they stay readable when a phone scales them to its width.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator

from dropout_lab.plotting.tooltips import write_tooltips

WIDTH = 4.4
"""Width of a plot, in inches."""

PlotFormat = Literal["png", "svg"]
BLACK, WHITE = "#010101", "#ffffff"
"""Colors on colored cells. SVG leaves out pure black, so that a theme could not replace it."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of a plot.

    Attributes:
        series: Colours of conditions in their order; Okabe and Ito's colour-blind-safe palette
            (https://jfly.uni-koeln.de/color/), ordered by contrast with `background`.
        colormap: matplotlib's name of a colour map that starts near `background`.
        diverging: matplotlib's name of a colour map whose middle is near `background`.
        good, bad: Colours of verdicts, as in the report.
    """

    foreground: str
    background: str
    grid: str
    muted: str
    series: tuple[str, ...]
    colormap: str
    diverging: str
    good: str
    bad: str


LIGHT = Theme(
    foreground="#1a1a1a",
    background="#ffffff",
    grid="#e2e2e2",
    muted="#5c5c5c",
    series=("#0072B2", "#D55E00", "#009E73", "#CC79A7", BLACK, "#E69F00", "#56B4E9"),
    colormap="Blues",
    diverging="PuOr",
    good="#00644a",
    bad="#a13a00",
)
DARK = Theme(
    foreground="#e8e8e8",
    background="#16191d",
    grid="#31363d",
    muted="#a8adb3",
    series=("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#ffffff"),
    colormap="cividis",
    diverging="berlin_r",
    good="#5fd3ad",
    bad="#ffa66b",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
"""Marker of each condition in their order: tells conditions apart without colour."""


@contextmanager
def default_settings() -> Iterator[None]:
    """Draw with the settings of matplotlib itself, whatever a matplotlibrc of the user's holds."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["axes.unicode_minus"] = False  # as in all text
        yield


def series_style(index: int, theme: Theme) -> tuple[str, str]:
    """Return the colour and the marker of the condition that is number `index` in order."""
    return theme.series[index % len(theme.series)], MARKERS[index % len(MARKERS)]


class ShownFigure(Figure):
    """A figure that notebooks show, also if Matplotlib has no backend for them."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


def new_figure(height: float, theme: Theme, *, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` x `height` inches with its own canvas."""
    figure = ShownFigure(figsize=(width, height), dpi=150, layout="constrained", facecolor=theme.background)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, theme: Theme, *, title: str, xlabel: str, ylabel: str) -> None:
    """Label `axes` and give it the theme's colours, a light grid and no box."""
    axes.set_facecolor(theme.background)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=theme.foreground)
    axes.set_xlabel(xlabel, fontsize=9, color=theme.foreground)
    axes.set_ylabel(ylabel, fontsize=9, color=theme.foreground)
    axes.tick_params(labelsize=8.5, colors=theme.foreground, length=3)
    axes.grid(visible=True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.muted)


def style_legend(legend: Legend, theme: Theme) -> None:
    """Give `legend` the theme's colours."""
    for text in legend.get_texts():
        text.set_color(theme.foreground)
    frame = legend.get_frame()
    frame.set(facecolor=theme.background, edgecolor=theme.grid, linewidth=0.8, alpha=0.85)


def whole_numbers() -> MaxNLocator:
    """Return a tick locator for epochs and counts."""
    return MaxNLocator(nbins=10, integer=True, min_n_ticks=1)


def percent() -> Formatter:
    """Return a tick formatter that shows fractions as percent; the axis' label says the unit."""
    return FuncFormatter(lambda fraction, _: f"{100 * fraction:.10g}")


def plain(text: str, max_length: int = 36) -> str:
    """Return `text`, which users chose, cut to `max_length` and as matplotlib shows it unchanged."""
    cut = text if len(text) <= max_length else text[: max_length - 1] + "\N{HORIZONTAL ELLIPSIS}"
    # A label that starts with "_" is hidden in legends; "$" would start a formula.
    return re.sub("^_", " _", " ".join(cut.split())).replace("$", r"\$")


@default_settings()
def render(figure: Figure, plot_format: PlotFormat, *, as_text: bool = False) -> bytes:
    """Return `figure` as a file's bytes; they depend on nothing but the figure.

    Args:
        figure: The figure.
        plot_format: ``png`` or ``svg``.
        as_text: Write the words of an SVG as text in the reader's font, not as drawn letters.
    """
    buffer = io.BytesIO()
    letters = "none" if as_text else "path"
    with (
        mpl.rc_context({"svg.hashsalt": "dropout_lab", "svg.fonttype": letters}),
        warnings.catch_warnings(),
    ):
        # A name in a script that the font lacks is drawn as boxes; nobody needs to be warned on stderr.
        warnings.filterwarnings("ignore", message="Glyph")
        if plot_format == "svg":
            figure.savefig(buffer, format="svg", metadata={"Date": None})
        else:
            # savefig would draw everything twice, the first time for the layout that drawing makes anyway.
            canvas: Any = FigureCanvasAgg(figure)
            canvas.print_png(buffer, metadata={"Software": None})
    if plot_format == "svg":
        return write_tooltips(buffer.getvalue().decode()).encode()
    return buffer.getvalue()
