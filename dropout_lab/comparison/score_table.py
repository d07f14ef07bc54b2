"""Compare scores from a table, whoever made them: one row per run, with a condition, a seed and metrics."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord, RunStatus

CONDITION, SEED = "condition", "seed"
Row = Mapping[str, Any]


def judge(rows: Iterable[Row], question: Question | None = None, *, name: str = "scores") -> Comparison:
    """Compare conditions by a table of scores, exactly as runs in a tracking store are compared.

    Args:
        rows: One mapping per run: ``condition``, ``seed`` (leave it out if runs are not paired) and
            any number of metrics. Empty, missing and NaN metrics are excluded.
        question: What is asked; the guard against other differences has nothing to check.
        name: Name of the table.

    Raises:
        UsageError: If the table is malformed, or a condition or metric does not exist.
    """
    question = replace(question or Question(), guard=False)
    return compare_runs(runs_of_rows(rows, name), question)


def metric_columns(rows: Sequence[Row]) -> list[str]:
    """Return the columns that are neither the condition nor the seed, in order."""
    return list(dict.fromkeys(str(key) for row in rows for key in row if key not in (CONDITION, SEED)))


def runs_of_rows(rows: Iterable[Row], name: str) -> list[RunRecord]:
    """Return one finished run per row.

    Raises:
        UsageError: If a column is missing, a cell is not a number, or a condition has a seed twice.
    """
    table = list(rows)
    if not table:
        raise UsageError(f"{name}: no rows", hint="Expected one row per run: condition, seed, metrics.")
    seeds, runs, seen = _Seeds(), [], set()
    for index, row in enumerate(table, start=1):
        where = f"{name}, row {index}"
        if row.get(CONDITION) in (None, ""):
            raise UsageError(f"{where}: missing column {CONDITION!r}{did_you_mean(CONDITION, map(str, row))}")
        condition, seed = str(row[CONDITION]), seeds.number(row.get(SEED))
        if (condition, seed) in seen:
            raise UsageError(
                f"{where}: condition {condition!r} has seed {row[SEED]} twice",
                hint="One row per condition and seed; leave out the column if the runs are not paired.",
            )
        seen.add((condition, seed))
        metrics = {
            str(key): value
            for key, cell in row.items()
            if key not in (CONDITION, SEED) and (value := _number(cell, f"{where}, {key}")) is not None
        }
        runs.append(
            RunRecord(
                run_id=f"row{index}",
                run_name=f"row {index}",
                experiment_id="",
                experiment_name=name,
                status=RunStatus.FINISHED,
                condition=condition,
                seed=seed,
                start_time=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=index),
                metrics=metrics,
            )
        )
    return runs


def read_scores(path: Path) -> list[Row]:
    """Return the rows of a file in CSV or JSON.

    Raises:
        UsageError: If the file cannot be read, or is neither.
    """
    try:
        return parse_scores(path.read_bytes().decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def parse_scores(text: str, name: str) -> list[Row]:
    """Return the rows of a table in CSV or JSON (a list of objects, or an object of columns).

    Raises:
        UsageError: If it is neither.
    """
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped[:1] in ("[", "{"):
        return _parse_json(stripped, name)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), skipinitialspace=True)
    rows: list[Row] = []
    for row in reader:
        if None in row or None in row.values():
            num_cells = len(reader.fieldnames or ())
            raise UsageError(f"{name}:{reader.line_num}: expected {num_cells} cells as in the first line")
        rows.append({key.strip(): cell.strip() for key, cell in row.items()})
    return rows


def _parse_json(text: str, name: str) -> list[Row]:
    try:
        return rows_of(json.loads(text), name)
    except ValueError as error:
        raise UsageError(f"{name}: not valid JSON: {error}") from error


def rows_of(content: Any, name: str) -> list[Row]:
    """Return the rows of a table that is a list of mappings, or a mapping of columns.

    Raises:
        UsageError: If it is neither, or its columns differ in length.
    """
    if isinstance(content, dict) and all(isinstance(column, list) for column in content.values()):
        if len({len(column) for column in content.values()}) > 1:
            raise UsageError(f"{name}: columns of different lengths")
        content = [dict(zip(content, cells, strict=True)) for cells in zip(*content.values(), strict=True)]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise UsageError(f"{name}: expected a list of objects, or an object of columns")
    return content


class _Seeds:
    """Numbers for seeds, whatever they are called; a missing one is like no other."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._num_missing = 0

    def number(self, seed: Any) -> int:
        if seed in (None, "") or (isinstance(seed, float) and math.isnan(seed)):
            self._num_missing += 1
            return -self._num_missing
        text = str(int(seed)) if isinstance(seed, float) and seed.is_integer() else str(seed).strip()
        if text.isdecimal() and len(text) < 16:
            return int(text)
        return self._names.setdefault(text, 10**16 + len(self._names))


def seed_numbers(seeds: Sequence[Any]) -> list[int]:
    """Return a number for each seed: its own, or another if it is not a number; missing ones are unique."""
    known = _Seeds()
    return [known.number(seed) for seed in seeds]


def _number(cell: Any, where: str) -> float | None:
    """Return a cell as a number; None if it is empty."""
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in ("", "na", "null", "none")):
        return None
    try:
        if isinstance(cell, bool):
            raise ValueError
        return float(cell)
    except (TypeError, ValueError):
        raise UsageError(f"{where}: not a number: {cell!r}") from None
