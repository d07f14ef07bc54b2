"""Move experiments between folders, stores and servers, as a folder of files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lab.api.results import warn
from dropout_lab.libraries import quiet_libraries

if TYPE_CHECKING:
    from dropout_lab.tracking.archive import Archive
    from dropout_lab.tracking.importing import Imported


def export_experiment(
    experiment: str, folder: str | Path, *, note: Callable[[str], None] = warn
) -> "Archive":
    """Write an experiment to a new folder: runs with all metrics, tags, artifacts and models.

    Args:
        experiment: Name of the MLflow experiment.
        folder: The folder, which must not exist.
        note: Called with a message for each run that is being trained, and is left out.

    Raises:
        UsageError: If there is no such experiment, or the folder exists.
        TrackingError: If the store cannot be read.
    """
    with quiet_libraries():
        from dropout_lab import __version__
        from dropout_lab.tracking.exporting import export_experiment as write_folder

        return write_folder(experiment, Path(folder), note, __version__)


def import_experiment(
    folder: str | Path, *, experiment: str | None = None, note: Callable[[str], None] = warn
) -> "Imported":
    """Import the runs in a folder that `export_experiment` wrote, except those that exist.

    Args:
        folder: The folder.
        experiment: Name of the MLflow experiment here. [default: the exported one]
        note: Called with a message if remains of an interrupted import cannot be deleted, or the summary of
            the experiment cannot be logged.

    Raises:
        UsageError: If a file of the folder is missing or damaged; nothing was imported.
        TrackingError: If the store cannot be used.
    """
    with quiet_libraries():
        from dropout_lab.runs.studies import refresh
        from dropout_lab.tracking.archive import read_archive
        from dropout_lab.tracking.importing import import_experiment as import_archive

        done = import_archive(read_archive(Path(folder)), experiment, note)
        for problem in refresh([done.experiment] if done.run_ids else []):
            note(problem)
    return done
