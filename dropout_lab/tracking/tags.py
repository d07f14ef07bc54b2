"""Names of the tags by which runs are recognized again."""

import time

CONDITION = "dropout_lab.condition"
SEED = "dropout_lab.seed"
START_ID = "dropout_lab.start_id"
RUN_KEY = "dropout_lab.run_key"
PROCESS = "dropout_lab.process"
LOCK = "dropout_lab.lock"
"""Lock file that the process holds as long as it lives."""
HEARTBEAT = "dropout_lab.heartbeat"
DESIGN = "dropout_lab.design"
EXPERIMENT = "dropout_lab.experiment"
"""Name of the experiment when the run was started; MLflow can rename experiments."""
DISCARDED = "dropout_lab.discarded"
REQUESTED = "dropout_lab.requested"
"""When a command last asked for a finished run: runs of the current spec have the latest."""


def now_ms() -> str:
    """Return the time in milliseconds since 1970, as MLflow counts it."""
    return str(time.time_ns() // 1_000_000)


COMPARISON = "dropout_lab.comparison"
"""Marks a run that holds the report of a comparison."""
