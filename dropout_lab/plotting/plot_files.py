"""Files of plots: PNG and SVG, light and dark."""

from collections.abc import Sequence
from pathlib import Path

from dropout_lab.errors import UsageError
from dropout_lab.files import write_atomically
from dropout_lab.plotting.plot import Plot
from dropout_lab.plotting.style import DARK, LIGHT, PlotFormat, render

FORMATS: tuple[PlotFormat, ...] = ("png", "svg")
THEMES = {"": LIGHT, "-dark": DARK}
"""What a file's name adds for each theme."""


def save_plots(plots: Sequence[Plot], folder: Path) -> list[Path]:
    """Write every plot as PNG and SVG, light and dark, to `folder`, which is created if missing.

    Files are replaced atomically.

    Returns:
        The files written, such as ``forest.png`` and ``forest-dark.svg``.

    Raises:
        UsageError: If the folder cannot be written to.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in plots:
            for suffix, theme in THEMES.items():
                figure = plot.draw(theme)
                for plot_format in FORMATS:
                    path = folder / f"{plot.name}{suffix}.{plot_format}"
                    write_atomically(path, render(figure, plot_format))
                    written.append(path)
    except OSError as error:
        raise UsageError(
            f"--plots: cannot write to {folder}: {error.strerror}", hint="Name another folder."
        ) from error
    return written
