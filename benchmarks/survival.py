"""Disturbs runs at random moments and checks that nothing is lost, nothing doubled, and no weight changed.

    python benchmarks/survival.py kills             # 100 SIGKILLs of a small spec, about 30 minutes
    python benchmarks/survival.py protocol          # SIGKILLs of the published protocol, about 10 minutes
    python benchmarks/survival.py disk              # 30 times a full disk (root on Linux), about 10 minutes
    python benchmarks/survival.py server            # 20 outages of a tracking server, about 10 minutes
    python benchmarks/survival.py kills --write     # and into RESULTS.md

The runs are trained once without interruption. Then they are started again and again, disturbed after a
random time (so also while checkpoints are written and MLflow is called), until they end by themselves; and
all of that anew until there were enough disturbances. The weights must be bit-identical to the uninterrupted
runs', each metric's steps present once, each run there once.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs
from results import machine, markdown_table, write_section

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
STARTUP_SECONDS = 6.0
DISK = "64m"
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Work:
    """What is trained: a spec of `experiments/` with settings of its own."""

    spec: str
    epochs: int
    settings: tuple[str, ...] = ()

    def start(self, experiment: str) -> Process:
        settings = (*self.settings, f"training.epochs={self.epochs}", f"experiment={experiment}")
        options = [part for setting in settings for part in ("--set", setting)]
        command = [sys.executable, "-m", "dropout_lab", "run", str(EXPERIMENTS / self.spec), "--seeds", "1"]
        return subprocess.Popen(
            [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def undisturbed(self) -> tuple[dict[str, str], float]:
        """Return the final weights by condition, and the seconds that it took."""
        began = time.perf_counter()
        _, errors = (process := self.start("whole")).communicate()
        assert process.returncode == 0, errors
        seconds = time.perf_counter() - began
        return {run.condition: run.final_weights for run in read_runs("whole")}, seconds

    def problems(self, experiment: str, expected: dict[str, str]) -> list[str]:
        """Return what is wrong with the runs of `experiment`, whose weights should be `expected`."""
        runs = read_runs(experiment, histories=METRICS)
        found = []
        counts = Counter(run.condition for run in runs)
        if counts != Counter(expected.keys()):
            found.append(f"runs {dict(counts)}")
        for run in runs:
            if run.status is not RunStatus.FINISHED:
                found.append(f"{run.run_name} is {run.status}")
            if run.final_weights != expected[run.condition]:
                found.append(f"{run.run_name} has other weights")
            found += [f"{run.run_name}: {name}" for name in METRICS if len(run.history[name]) != self.epochs]
        return found


SMALL = Work("smoke.yaml", 12)
PROTOCOL = Work("dropout.yaml", 10)
LONG = Work("dropout.yaml", 320, ("data.num_train=3000", "data.num_test=500", "training.batch_size=100"))


@dataclass
class Outcome:
    """How often runs were disturbed, how many ended, and what was wrong with them."""

    disturbances: int = 0
    ended: int = 0
    wrong: tuple[str, ...] = ()

    def report(self) -> None:
        print(
            f"{self.disturbances} disturbances, {self.ended} runs ended, wrong: {self.wrong or 'nothing'}",
            flush=True,
        )


def kill(process: Process) -> None:
    process.kill()
    process.communicate()


def fill_the_disk(process: Process) -> list[str]:
    """Leave no room for what `process` writes next; return what it said that it should not have said."""
    filler = Path("filler")
    with filler.open("wb", buffering=0) as file:
        chunk = bytes(4096)
        try:
            while True:
                file.write(chunk)
        except OSError:
            pass
    try:
        _, errors = process.communicate(timeout=300)
    finally:
        filler.unlink()
    fine = process.returncode == 0 or (process.returncode == 1 and ("room" in errors or "space" in errors))
    return [] if fine and "Traceback" not in errors else [f"{process.returncode}: {errors[-400:]}"]


def disturbed(
    work: Work, wanted: int, share: float, disturb: Callable[[Process], list[str] | None], seed: int
) -> Outcome:
    """Disturb `work` at least `wanted` times, within `share` of the time that it takes undisturbed."""
    moments = random.Random(seed)
    expected, longest = work.undisturbed()
    outcome = Outcome()
    number = 0
    while outcome.disturbances < wanted:
        experiment = f"disturbed {number}"
        number += 1
        while True:
            process = work.start(experiment)
            try:
                process.wait(
                    timeout=moments.uniform(STARTUP_SECONDS, max(share * longest, 3 * STARTUP_SECONDS))
                )
                _, errors = process.communicate()
                break
            except subprocess.TimeoutExpired:
                outcome.wrong += tuple(disturb(process) or ())
                outcome.disturbances += 1
                if process.returncode == 0:
                    break
        if process.returncode:
            outcome.wrong += (f"{experiment} ended with {process.returncode}: {errors[-400:]}",)
        outcome.wrong += tuple(work.problems(experiment, expected))
        outcome.ended += len(expected)
        outcome.report()
    return outcome


@contextmanager
def small_disk() -> Iterator[None]:
    """Work in a file system that can be filled."""
    Path("disk").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", "disk"], check=True)
    os.chdir("disk")
    try:
        yield
    finally:
        os.chdir("..")
        subprocess.run(["umount", "--lazy", "disk"], check=True)


class Server:
    """A real `mlflow server` with a database in the current folder."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        store = ["--backend-store-uri", "sqlite:///server.db", "--artifacts-destination", "./artifacts"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1", *store],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )
        while True:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)

    def kill(self) -> None:
        os.killpg(self._process.pid, 9)
        self._process.wait()


def outages(work: Work, wanted: int, seed: int) -> Outcome:
    """Kill and start the tracking server `wanted` times during one run, and let it be away at the end."""
    moments = random.Random(seed)
    expected, _ = work.undisturbed()
    server = Server()
    server.start()
    os.environ["MLFLOW_TRACKING_URI"] = server.uri
    outcome = Outcome()
    process = work.start("disturbed")
    assert process.stderr is not None
    next(line for line in process.stderr if "epoch 1/" in line)
    for _ in range(wanted):
        server.kill()
        time.sleep(moments.uniform(0, 3))
        server.start()
        time.sleep(moments.uniform(0, 5))
        if process.poll() is None:
            outcome.disturbances += 1
    server.kill()
    _, errors = process.communicate()
    if process.returncode != 1 or "dropout-lab sync" not in errors:
        outcome.wrong += (f"without a server it ended with {process.returncode}: {errors[-400:]}",)
    server.start()
    delivered = subprocess.run([sys.executable, "-m", "dropout_lab", "sync"], capture_output=True, text=True)
    if delivered.returncode:
        outcome.wrong += (f"sync ended with {delivered.returncode}: {delivered.stderr[-400:]}",)
    outcome.wrong += tuple(work.problems("disturbed", expected))
    outcome.ended = len(expected)
    server.kill()
    del os.environ["MLFLOW_TRACKING_URI"]
    outcome.report()
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", choices=("kills", "protocol", "disk", "server"))
    parser.add_argument("--count", type=int, help="disturbances (default 100 kills, 10, 30 and 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    seed, count = options.seed, options.count
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if options.scenario == "kills":
            title, outcome = "SIGKILL, small spec", disturbed(SMALL, count or 100, 0.8, kill, seed)
        elif options.scenario == "protocol":
            title, outcome = "SIGKILL, published protocol", disturbed(PROTOCOL, count or 10, 0.3, kill, seed)
        elif options.scenario == "disk":
            with small_disk():
                title, outcome = "full disk", disturbed(SMALL, count or 30, 1, fill_the_disk, seed)
        else:
            title, outcome = "tracking server killed", outages(LONG, count or 20, seed)
        os.chdir(here)
    row = [str(outcome.disturbances), str(outcome.ended), "; ".join(outcome.wrong) or "nothing"]
    table = markdown_table(["disturbances", "runs ended", "what was wrong"], [row])
    print(f"{title}\n\n{table}")
    if options.write:
        text = f"{machine()}; at random moments, seed {seed}.\n\n{table}"
        write_section(f"Survival: {title}", text, are_times=False)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
