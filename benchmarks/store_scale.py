"""Read one experiment of 200 runs from a store of 10,000, beside the bare MLflow client.

    python benchmarks/store_scale.py [--folder FOLDER] [--rounds 5] [--runs 10000] [--per-experiment 200]
        [--uri URI] [--write]

The store is real: one run is written by dropout_lab and copied within the database: a SQLite file, or with
--uri an empty PostgreSQL database. Rounds are interleaved, since the machine's other load changes over
minutes. Goal: at most 1.3 times the bare client, less than 400 MB.
Building the store takes minutes; --folder keeps it. With more than 1,000 runs in an experiment, the bare
client reads histories in bulk only: asked for each run, it takes an hour.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil
from sqlalchemy import Connection, create_engine, inspect, text

from results import machine, markdown_table, write_section

CHOSEN = "experiment 0"
MOST_ASKED_FOR_EACH = 1000
HISTORIES = ("loss", "accuracy", "val_loss", "val_accuracy")

SQLITE = "sqlite:///mlflow.db"
OPEN = """
import os
from mlflow import MlflowClient
uri = os.environ["MLFLOW_TRACKING_URI"]
client = MlflowClient(uri)
"""
BARE = f"""{OPEN}
experiment = client.get_experiment_by_name({CHOSEN!r})
runs, token = [], None
while token or not runs:
    page = client.search_runs(
        [experiment.experiment_id], "attributes.status = 'FINISHED'", max_results=1000, page_token=token
    )
    runs += page
    token = page.token
assert len(runs) == NUM_RUNS
"""
EACH_RUN = f"""{BARE}
for name in {HISTORIES!r}:
    for run in runs:
        client.get_metric_history(run.info.run_id, name)
"""
IN_BULK = f"""{BARE}
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
store = SqlAlchemyStore(uri, "./mlruns")
for name in {HISTORIES!r}:
    for first in range(0, len(runs), 1000):
        some = [run.info.run_id for run in runs[first : first + 1000]]
        store.get_metric_history_bulk(some, name, 25_000)
"""
OURS = f"""
from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs
runs = read_runs({CHOSEN!r}, statuses=[RunStatus.FINISHED], histories={HISTORIES!r})
assert len(runs) == NUM_RUNS
assert all(len(run.history[name]) == 10 for run in runs for name in {HISTORIES!r})
"""
PAGE = f"""{OPEN}
experiments = [one.experiment_id for one in client.search_experiments()]
runs = client.search_runs(experiments, max_results=100, order_by=["attributes.start_time DESC"])
assert len(runs) == 100
"""
"""What the MLflow page asks for first, of all runs of the store."""
IS_BASELINE = "number % 2"
SEED = "CAST(number / 2 AS TEXT)"
CONDITION = f"CASE {IS_BASELINE} WHEN 1 THEN 'baseline' ELSE 'dropout' END"
TAGS_OF_COPIES = (
    f"WHEN 'dropout_lab.seed' THEN {SEED}",
    "WHEN 'dropout_lab.initial_weights' THEN 'weights ' || (number / 2)",
    "WHEN 'dropout_lab.batch_order' THEN 'order ' || (number / 2)",
    f"WHEN 'dropout_lab.condition' THEN {CONDITION}",
    f"WHEN 'dropout_lab.spec_fingerprint' THEN 'fingerprint ' || ({IS_BASELINE})",
    "WHEN 'dropout_lab.final_weights' THEN 'final ' || number",
)


def calls(per_experiment: int) -> dict[str, str]:
    """Return the programs to time, by name; the first one is what the others are compared with."""
    programs = {
        "bare client": EACH_RUN,
        "bare client, histories by its store class": IN_BULK,
        "page of 100 of all runs": PAGE,
        "read_runs": OURS,
    }
    if per_experiment > MOST_ASKED_FOR_EACH:
        del programs["bare client"]
    return {name: program.replace("NUM_RUNS", str(per_experiment)) for name, program in programs.items()}


def build(num_runs: int, per_experiment: int) -> None:
    """Fill the empty store: `num_runs` runs of 10 params and 20 metrics over 10 epochs."""
    from dropout_lab.records import DataFingerprint, RunStart, RunStatus
    from dropout_lab.tracking import connect  # before MLflow, which it keeps quiet

    tracker = connect("experiment 0")
    data = DataFingerprint(folder="", checksums={}, num_train=1, num_validation=1, num_test=1, digest="d")
    spec = {f"model.key{number}": str(number) for number in range(8)}
    spec |= {"training.epochs": "10", "model.dropout.conv1": "0.2"}
    names = (
        "initial_weights",
        "batch_order",
        "data_digest",
        "device_name",
        "engine",
        "spec_fingerprint",
        "final_weights",
    )
    start = RunStart(
        run_name="dropout-seed0",
        description="The published network.",
        condition="dropout",
        seed=0,
        spec=spec,
        tags={f"dropout_lab.{name}": "0123456789abcdef" for name in names},
        data=data,
        texts={},
    )
    template = tracker.start_run(start)
    metrics = [
        *HISTORIES,
        "epoch_seconds",
        "test_accuracy",
        "test_loss",
        "train_accuracy",
        "generalization_gap",
    ]
    metrics += [f"test_accuracy_class_{number}" for number in range(10)] + ["test_brier"]
    assert len(metrics) == 20
    from mlflow.entities import Metric

    for epoch in range(1, 11):
        values = [Metric(name, 1 / epoch, 1000 * epoch, epoch) for name in metrics]
        tracker.client.log_batch(template, metrics=values)
    tracker.end_run(template, RunStatus.FINISHED)
    for number in range(1, num_runs // per_experiment):
        connect(f"experiment {number}")
    with create_engine(os.environ["MLFLOW_TRACKING_URI"]).begin() as connection:
        _copy(connection, template, num_runs, per_experiment)


def _copy(connection: Connection, template: str, num_runs: int, per_experiment: int) -> None:
    """Copy the run `template` in every table that speaks of it: pairs of a baseline and a dropout run."""
    connection.execute(
        text("CREATE TEMPORARY TABLE copies (copy_id TEXT, experiment INTEGER, number INTEGER)")
    )
    found = connection.execute(text("SELECT experiment_id, name FROM experiments"))
    names = {name: number for number, name in found}
    copies = [
        (
            os.urandom(16).hex(),
            names[f"experiment {number // per_experiment}"],
            number % per_experiment,
        )
        for number in range(1, num_runs)
    ]
    rows = [dict(zip(("copy_id", "experiment", "number"), copy, strict=True)) for copy in copies]
    connection.execute(text("INSERT INTO copies VALUES (:copy_id, :experiment, :number)"), rows)
    for table in ("runs", "params", "tags", "metrics", "latest_metrics"):
        columns = [column["name"] for column in inspect(connection).get_columns(table)]
        changed = {"run_uuid": "copy_id", "experiment_id": "experiment", "value": "value"}
        if table == "tags":
            changed["value"] = f"CASE key {' '.join(TAGS_OF_COPIES)} ELSE value END"
        if table == "params":
            changed["value"] = (
                f"CASE WHEN key = 'dropout_lab.condition' THEN {CONDITION} "
                f"WHEN key = 'dropout_lab.seed' THEN {SEED} "
                f"WHEN key = 'model.dropout.conv1' AND {IS_BASELINE} = 1 THEN '0.0' ELSE value END"
            )
        if table in ("metrics", "latest_metrics"):
            changed["value"] = f"value + (number / 2 * 7919 % 1000 + {IS_BASELINE} * number % 13) / 1e5"
        chosen = ", ".join(changed.get(column, column) for column in columns)
        connection.execute(
            text(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {chosen} FROM {table}, copies WHERE run_uuid = :template"
            ),
            {"template": template},
        )


def process(*arguments: str) -> tuple[float, float]:
    """Return the seconds that a process took and the most memory that it had, in MB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        child = psutil.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            errors.seek(0)
            raise RuntimeError(f"{arguments} ended with {status}: {errors.read().decode()}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def seconds(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="keeps the store there, and takes one that is there already"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--per-experiment", type=int, default=200)
    parser.add_argument("--uri", default="", help="an empty PostgreSQL database [default: a SQLite file]")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp())).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = options.uri or SQLITE
    if options.uri or not Path("mlflow.db").exists():
        took = seconds(lambda: build(options.runs, options.per_experiment))
        print(f"building a store of {options.runs} runs: {took:.0f} s")
    programs = calls(options.per_experiment)
    commands = {
        f"process: {name}": ("-c", program) for name, program in programs.items() if name != "read_runs"
    }
    commands["process: dropout-lab runs"] = ("-m", "dropout_lab", "runs", CHOSEN)
    commands["process: dropout-lab compare"] = ("-m", "dropout_lab", "compare", CHOSEN)
    for program in programs.values():
        exec(program, {})
    times: dict[str, list[float]] = {name: [] for name in (*programs, *commands)}
    peaks = []
    for _ in range(options.rounds):
        for name, program in programs.items():
            times[name].append(seconds(lambda program=program: exec(program, {})))
        for name, command in commands.items():
            took, megabytes = process(*command)
            times[name].append(took)
        peaks.append(megabytes)
    bare = next(iter(programs))
    base = {name: f"process: {bare}" if name.startswith("process") else bare for name in times}
    ratios = {
        name: statistics.median(a / b for a, b in zip(times[name], times[base[name]], strict=True))
        for name in times
    }
    rows = [(name, f"{statistics.median(times[name]):.2f}", f"{ratios[name]:.2f}") for name in times]
    table = markdown_table(
        (
            f"reading {options.per_experiment} of the runs",
            "seconds, median",
            "against the bare client, paired",
        ),
        rows,
    )
    result = (
        f"{machine()}, mlflow {version('mlflow')}\n\n{options.runs} runs in "
        f"{'PostgreSQL' if options.uri else 'SQLite'} of 20 metrics over 10 epochs; "
        f"{options.rounds} interleaved rounds. Peak memory of compare: {max(peaks):.0f} MB. MLflow's client "
        f"has no bulk call for histories, so the bare client asks for each run's.\n\n{table}"
    )
    print(result)
    if options.write:
        write_section("Reading from a large store", result)


if __name__ == "__main__":
    main()
