"""The result of a comparison, in every form that people and programs read."""

import html
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lab.api.reading import read_predictions
from dropout_lab.comparison.results import Comparison, Verdict
from dropout_lab.errors import DropoutLabError, UsageError, did_you_mean
from dropout_lab.files import write_atomically
from dropout_lab.libraries import quiet_libraries

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from dropout_lab.api.test_images import Images
    from dropout_lab.plotting import Plot, TestPredictions
    from dropout_lab.reporting.report import ReportLinks

FIRST_DATASET = "fashion_mnist"
"""The dataset of runs that logged none."""


def warn(message: str) -> None:
    """Warn the caller of the library."""
    warnings.warn(message, stacklevel=3)


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """The result of a comparison; notebooks show its verdicts and tables.

    Attributes:
        comparison: All numbers; fractions are 0 to 1.
        note: Called with a message if something is left out of a plot or a report.
        known_predictions: Test predictions by run ID, if they were read already.
    """

    comparison: Comparison
    note: Callable[[str], None] = warn
    known_predictions: "Mapping[str, TestPredictions] | None" = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per condition and metric, those of the primary metric first."""
        return tuple(sorted(self.comparison.verdicts, key=lambda one: not one.is_primary))

    @cached_property
    def predictions(self) -> "Mapping[str, TestPredictions]":
        """Test predictions of the runs that dropout_lab trained, by run ID; read when first used."""
        if self.known_predictions is not None:
            return self.known_predictions
        with quiet_libraries():
            return read_predictions(self.comparison.runs, self.note)

    def to_frame(self) -> "DataFrame":
        """Return one row per metric and condition, with the columns of ``--format csv``."""
        import pandas as pd

        from dropout_lab.reporting.data import CSV_COLUMNS, value_rows

        return pd.DataFrame(value_rows(self.comparison), columns=list(CSV_COLUMNS))

    def to_markdown(self) -> str:
        """Return verdicts, tables, methods and references in Markdown."""
        from dropout_lab.reporting.markdown import to_markdown

        return to_markdown(self.comparison)

    def to_latex(self) -> str:
        """Return tables, verdicts and methods in LaTeX (needs the package booktabs)."""
        from dropout_lab.reporting.latex import to_latex

        return to_latex(self.comparison)

    def plot(self, name: str = "forest") -> "Figure":
        """Return a plot as a Matplotlib figure, which notebooks show.

        Args:
            name: Name of the plot: ``forest``, ``paired_seeds``, ``epoch_difference``, ``learning_curves``,
                ``reliability``, ``class_change``, ``rate_response``, ``heat_map`` or ``critical_difference``.

        Raises:
            UsageError: If the comparison has no such plot.
        """
        from dropout_lab.plotting.style import LIGHT

        plots = {one.name: one for one in self.plots()}
        if name not in plots:
            available = ", ".join(plots) or "none"
            raise UsageError(
                f"plot {name!r} not available{did_you_mean(name, plots)} (available: {available})"
            )
        return plots[name].draw(LIGHT)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by class number; empty if none are known, or the runs name not the same."""
        names = {run.class_names for run in self.comparison.runs}
        datasets = {
            run.spec.get("data.dataset", FIRST_DATASET) for run in self.comparison.runs if run.versions
        }
        if names == {()} and datasets == {FIRST_DATASET}:  # early versions logged no names
            return self.test_data[1]
        return names.pop() if len(names) == 1 else ()

    @cached_property
    def test_data(self) -> "tuple[Images | None, tuple[str, ...]]":
        """Test images and class names, if the data are on this machine as files; read when first used."""
        run = next((one for one in self.comparison.runs if one.run_id in self.predictions), None)
        if run is None:
            return None, ()
        from dropout_lab.api.test_images import read_test_images

        try:
            with quiet_libraries():
                return read_test_images(run, {}, only_at_hand=True)
        except DropoutLabError as error:
            self.note(f"Test images not shown: {error.message}")
            return None, ()

    def plots(self) -> "Sequence[Plot]":
        """Return all plots, each with its caption, alternative text and the function that draws it."""
        from dropout_lab.plotting import comparison_plots

        return comparison_plots(self.comparison, self.predictions, self.class_names)

    def report(self, path: str | Path) -> Path:
        """Write a self-contained HTML report to `path`, and return the path.

        Raises:
            UsageError: If the file cannot be written.
        """
        file = Path(path)
        try:
            write_atomically(file, self.to_html().encode())
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror}") from error
        return file

    def to_html(self, *, command: str = "") -> str:
        """Return the self-contained HTML report.

        Args:
            command: The command that reproduces the report, shown at its end.
        """
        from dropout_lab.reporting.report import render_report

        return render_report(
            self.comparison,
            predictions=self.predictions,
            class_names=self.class_names,
            read_images=lambda: self.test_data[0],
            links=report_links(self.comparison),
            command=command,
        )

    def __repr__(self) -> str:
        from dropout_lab.reporting.view import view_comparison

        view = view_comparison(self.comparison)
        return "\n".join([view.title, *(f"{one.word.value}: {one.statement}" for one in view.verdicts)])

    def _repr_html_(self) -> str:
        import pandas as pd

        from dropout_lab.reporting.view import view_comparison

        view = view_comparison(self.comparison)
        verdicts = (
            f"<p><b>{html.escape(one.word.value)}</b>: {html.escape(one.statement)}</p>"
            for one in view.verdicts
        )
        cautions = (
            f"<p>Caution: {html.escape(line)}</p>"
            for heading, lines in view.sections
            for line in lines
            if heading == "Cautions"
        )
        tables = (table.without_details() for table in view.results)
        shown = (
            f"<p>{html.escape(table.title)}</p>"
            + pd.DataFrame(table.rows, columns=list(table.headings)).to_html(index=False)
            for table in tables
        )
        return "".join([f"<p>{html.escape(view.title)}</p>", *verdicts, *cautions, *shown])


def report_links(comparison: Comparison) -> "ReportLinks":
    """Return the addresses of the runs in the MLflow UI; none for runs that are not in MLflow."""
    from dropout_lab.reporting.report import ReportLinks

    experiment_id, run_ids = comparison.runs[0].experiment_id, [run.run_id for run in comparison.runs]
    if not experiment_id:
        return ReportLinks()
    with quiet_libraries():
        from dropout_lab.tracking import links, locate

        base = links.base_address(locate().uri)
    return ReportLinks(
        runs={run_id: links.run_address(base, experiment_id, run_id) for run_id in run_ids},
        comparison=links.comparison_address(base, [experiment_id], run_ids),
        curves=links.curves_address(base, experiment_id, run_ids),
    )
