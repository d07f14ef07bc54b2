"""Completion of names in the shell: quick, so it reads a local database itself and imports no MLflow."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import typer

from dropout_lab.cli.metric_names import ALIASES
from dropout_lab.evaluation.registry import COMPARED_METRICS

_SQLITE = "sqlite:///"
_TIMEOUT_SECONDS = 0.5
_MOST_NAMES = 500

_EXPERIMENTS = """
SELECT experiments.name FROM experiments JOIN runs USING (experiment_id)
WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'
GROUP BY experiments.name ORDER BY MAX(runs.start_time) DESC
"""
_RUNS = """
SELECT {name} FROM runs JOIN experiments USING (experiment_id)
WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active' AND EXISTS (
    SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND tags.key = 'dropout_lab.condition')
GROUP BY 1 ORDER BY MAX(runs.start_time) DESC
"""
_ALIASES = "SELECT name || '@' || alias FROM registered_model_aliases ORDER BY 1"
_CONDITIONS = """
SELECT DISTINCT tags.value FROM tags JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id)
WHERE tags.key = 'dropout_lab.condition' AND runs.lifecycle_stage = 'active' AND {where}
"""


def complete_experiment(incomplete: str) -> list[str]:
    """Return the experiments that have runs, the one used last first."""
    return _beginning(incomplete, _ask(_EXPERIMENTS))


def complete_run(incomplete: str) -> list[str]:
    """Return the names of runs, the newest first; after a slash with their experiment, as ``study/seed0``."""
    name = "experiments.name || '/' || runs.name" if "/" in incomplete else "runs.name"
    return _beginning(incomplete, _ask(_RUNS.format(name=name)))


def complete_experiment_or_run(incomplete: str) -> list[str]:
    """Return the experiments that have runs, then the names of runs; see the functions for each."""
    return list(dict.fromkeys([*complete_experiment(incomplete), *complete_run(incomplete)]))


def complete_model(incomplete: str) -> list[str]:
    """Return the registered models with their aliases, as ``name@alias``, and the names of runs."""
    return _beginning(incomplete, [*_ask(_ALIASES), *complete_run(incomplete)])


def complete_condition(context: typer.Context, incomplete: str) -> list[str]:
    """Return the conditions of the experiments on the command line, else of all."""
    chosen = context.params.get("experiments") or ()
    where = f"experiments.name IN ({', '.join('?' * len(chosen))})" if chosen else "TRUE"
    return _beginning(incomplete, _ask(_CONDITIONS.format(where=where), tuple(chosen)))


def complete_metric(incomplete: str) -> list[str]:
    """Return the metrics that are compared, and their short names."""
    return _beginning(incomplete, [*COMPARED_METRICS, *ALIASES])


def _beginning(incomplete: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _ask(query: str, parameters: Sequence[str] = ()) -> list[str]:
    """Return the names that the local database holds; none if there is no such database."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"{_SQLITE}mlflow.db"
    if not uri.startswith(_SQLITE):
        return []
    file = Path(unquote(uri.removeprefix(_SQLITE).partition("?")[0])).absolute()
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT_SECONDS)
        ) as database:
            return [str(name) for (name,) in database.execute(query, parameters).fetchmany(_MOST_NAMES)]
    except (sqlite3.Error, ValueError):
        return []
