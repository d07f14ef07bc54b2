"""Results of `dropout-lab run` for a spec with a search, on stdout."""

import math
import shlex
from collections.abc import Sequence

from dropout_lab.cli.console import is_quiet, print_json, stdout
from dropout_lab.cli.run_display import as_json_value, print_outcomes
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.evaluation.metrics import format_value, metric_info
from dropout_lab.reporting.tables import TextTable
from dropout_lab.runs.search.outcome import SearchOutcome
from dropout_lab.runs.search.trials import Trial, shown
from dropout_lab.spec.grid import short_labels

NUM_SHOWN = 10
"""Trials in the table, the best ones."""


def print_search(outcome: SearchOutcome, *, as_json: bool) -> None:
    """Print the best trials, the runs of the confirmation, and the verdict.

    Args:
        outcome: What became of the search.
        as_json: For scripts: all trials, instead of tables.
    """
    if as_json:
        runs = [as_json_value(one) for one in outcome.confirmation.outcomes]
        print_json({**outcome.to_json(), "runs": runs})
        return
    console = stdout()
    ranked = outcome.ranked
    if ranked:
        title = outcome.counts if len(ranked) <= NUM_SHOWN else f"{outcome.counts}; the best {NUM_SHOWN}"
        print_table(console, trial_table(title, ranked[:NUM_SHOWN], outcome.objective))
        console.print()
    print_outcomes(outcome.confirmation.outcomes, as_json=False)
    if outcome.verdict:
        print_text(console, outcome.verdict)
    if ranked and not is_quiet():
        print_text(console, f"Trials: study {outcome.study} in {shlex.quote(str(outcome.file))} (Optuna)")


def trial_table(title: str, trials: Sequence[Trial], objective: str) -> TextTable:
    """Return trials as a table, one row each.

    Args:
        title: Title of the table.
        trials: The trials, in the order of the rows.
        objective: The validation metric.
    """
    keys = dict.fromkeys(key for trial in trials for key in trial.values)
    labels = short_labels(list(keys))
    rows = (
        (
            str(trial.number),
            "-" if math.isnan(trial.objective) else format_value(objective, trial.objective),
            *(shown(trial.values[key]) if key in trial.values else "-" for key in keys),
            trial.reason or trial.state.value,
        )
        for trial in trials
    )
    return TextTable(title, ("Trial", metric_info(objective).label, *labels.values(), "State"), tuple(rows))
