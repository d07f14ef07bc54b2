"""A plot together with its words."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from dropout_lab.plotting.style import Theme


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot of a comparison.

    Attributes:
        name: File name without suffix, such as ``learning_curves``.
        caption: How to read it.
        alt: Alternative text with the main values.
        draw: Returns the figure in a theme.
    """

    name: str
    title: str
    caption: str
    alt: str
    draw: Callable[[Theme], Figure]
