"""What a run costs beyond its training and evaluation when runs of equal shapes follow each other.

    python benchmarks/between_runs.py               # about 25 minutes on a quiet machine
    python benchmarks/between_runs.py small --rounds 3
    python benchmarks/between_runs.py --write       # and into RESULTS.md

All is measured in one process, after a first run that compiles. A round trains and evaluates the networks of
a sweep with nothing around it, and then runs the same sweep through the tool, tracking included, so that what
disturbs the machine disturbs both: once with results uploaded between the runs, and once by another process
while the next run trains, with the start of that process. CPU time depends less on the load of the machine
than elapsed time.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from results import machine, markdown_table, write_section

if TYPE_CHECKING:
    from dropout_lab.data.dataset import Dataset
    from dropout_lab.runs.outcome import Failure
    from dropout_lab.runs.planning import PlannedRun

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
SWEEPS = {
    "small": ("1,000 images, 2 epochs", "smoke.yaml", []),
    "stock": ("the same, stock engine", "smoke.yaml", ["training.engine=stock"]),
    "published": (
        "5,000 images, 1 epoch, 10,000 test images",
        "dropout.yaml",
        ["data.num_train=5000", "training.epochs=1"],
    ),
}


HEADINGS = ["sweep", "results uploaded", "figure", "median", "lowest", "highest"]


class Marks:
    """Reporter that notes the time at which each run starts to train, has trained, and has ended."""

    def __init__(self) -> None:
        self.started_at: list[float] = []
        self.trained_at: list[float] = []
        self.finished_at: list[float] = []

    def started(self, *_: object) -> None:
        self.started_at.append(time.perf_counter())

    def entered(self, _: object, phase: str) -> None:
        if phase == "evaluating":
            self.trained_at.append(time.perf_counter())

    def finished(self, _: object) -> None:
        self.finished_at.append(time.perf_counter())

    def progressed(self, *_: object) -> None:
        pass

    def noted(self, message: str) -> None:
        pass

    def failed(self, failure: "Failure") -> None:
        raise RuntimeError(f"{failure.name}: {failure.message}")


class Stopwatch:
    """Measures the body of a ``with``; adds up over several."""

    def __init__(self) -> None:
        self.elapsed = self.cpu = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter(), _cpu_seconds()

    def __exit__(self, *_: object) -> None:
        self.elapsed += time.perf_counter() - self._began[0]
        self.cpu += _cpu_seconds() - self._began[1]


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of all that have ended of those that it started."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True)
class Round:
    """What one round measured; seconds.

    Attributes:
        num_runs: Number of runs of the sweep.
        bare: The sweep with nothing around it.
        tool: The sweep through the tool.
        from_end: From the end of a run to the first step of the next, median of the round.
        from_last_step: From the last step of a run to the first step of the next, without its evaluation,
            median of the round.
    """

    num_runs: int
    bare: Stopwatch
    tool: Stopwatch
    from_end: float
    from_last_step: float


def bare_sweep(runs: "Sequence[PlannedRun]", data: "Dataset") -> tuple[Stopwatch, list[float]]:
    """Train and evaluate each run's network; return the time of that, and of each evaluation alone."""
    from dropout_lab.training.devices import resolve_device
    from dropout_lab.training.engines import choose_engine
    from dropout_lab.training.progress import Progress
    from dropout_lab.training.trainer import Trainer

    total, evaluations = Stopwatch(), []
    for run in runs:
        device = resolve_device("cpu")
        engine, _ = choose_engine(run.settings, data, device)
        trainer = Trainer(run.settings, data, run.seed, device, engine)
        trainer.check_dropout()
        with total:
            trainer.train(Progress(), lambda _: None)
            began = time.perf_counter()
            trainer.evaluate()
            evaluations.append(time.perf_counter() - began)
    return total, evaluations


def tool_sweep(runs: "Sequence[PlannedRun]", *, by_another_process: bool) -> tuple[Stopwatch, Marks]:
    """Run the sweep through the tool; return its time, and when its runs began and ended.

    Args:
        runs: The runs.
        by_another_process: Whether results are uploaded while the next run trains.
    """
    from dropout_lab.runs.deliveries import Deliveries
    from dropout_lab.runs.executor import execute_runs
    from dropout_lab.runs.stopping import StopRequest

    marks, total = Marks(), Stopwatch()
    with total, Deliveries(marks) as deliveries:
        report = execute_runs(
            runs, marks, StopRequest(), deliveries=deliveries if by_another_process else None
        )
    report.raise_problems()
    return total, marks


def measure(name: str, num_seeds: int, num_rounds: int) -> tuple[list[Round], list[Round]]:
    """Return the rounds of one sweep of `SWEEPS`: uploaded in between, and by another process."""
    from dropout_lab.data.selection import load_data
    from dropout_lab.runs.planning import plan_runs
    from dropout_lab.spec import load_spec, override_spec

    _, file, settings = SWEEPS[name]
    spec = override_spec(load_spec(EXPERIMENTS / file), [*settings, f"experiment={name}"])

    def planned(seeds: Sequence[int]) -> "list[PlannedRun]":
        return plan_runs(override_spec(spec, [f"seeds={[*seeds]}"]))

    compiling = planned([0])
    data = load_data(compiling[0].settings.data)
    bare_sweep(compiling, data)
    tool_sweep(compiling, by_another_process=False)
    found: tuple[list[Round], list[Round]] = ([], [])
    for number in range(1, num_rounds + 1):
        for by_another_process, rounds in enumerate(found):
            first = (2 * number + by_another_process) * num_seeds
            runs = planned(range(first, first + num_seeds))
            bare, evaluations = bare_sweep(runs, data)
            tool, marks = tool_sweep(runs, by_another_process=bool(by_another_process))
            ends = zip(marks.started_at[1:], marks.finished_at, marks.trained_at, evaluations, strict=False)
            gaps = [(start - end, start - trained - own) for start, end, trained, own in ends]
            rounds.append(Round(len(runs), bare, tool, *map(statistics.median, zip(*gaps, strict=True))))
    return found


def rows(name: str, uploaded: str, rounds: Sequence[Round]) -> list[list[str]]:
    """Return the rows of one sweep: each figure's median over the rounds, lowest and highest.

    Args:
        name: Name of the sweep.
        uploaded: When results are uploaded.
        rounds: Its rounds.
    """
    figures = {
        "first step after the end of the run before, s": [one.from_end for one in rounds],
        "first step after its last step, without evaluation, s": [one.from_last_step for one in rounds],
        "overhead per run, s": [(one.tool.elapsed - one.bare.elapsed) / one.num_runs for one in rounds],
        "overhead per run, CPU s": [(one.tool.cpu - one.bare.cpu) / one.num_runs for one in rounds],
        "tool / bare": [one.tool.elapsed / one.bare.elapsed for one in rounds],
        "tool / bare, CPU": [one.tool.cpu / one.bare.cpu for one in rounds],
    }
    return [
        [
            SWEEPS[name][0],
            uploaded,
            figure,
            *(f"{value:.2f}" for value in (statistics.median(values), min(values), max(values))),
        ]
        for figure, values in figures.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="*", metavar="SWEEP", help=f"some of {', '.join(SWEEPS)}")
    parser.add_argument("--seeds", type=int, default=15, help="runs of each condition, two or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.sweeps) - set(SWEEPS):
        parser.error(f"unknown sweep: {', '.join(sorted(unknown))} (choose from {', '.join(SWEEPS)})")

    from dropout_lab.libraries import set_variables

    set_variables()
    found = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in options.sweeps or SWEEPS:
            between, beside = measure(name, options.seeds, options.rounds)
            found += [*rows(name, "between runs", between), *rows(name, "beside the next", beside)]
            print(markdown_table(HEADINGS, found[-12:]))
    table = markdown_table(HEADINGS, found)
    text = (
        f"{machine()}; {options.rounds} round(s), {options.seeds} seeds, load {os.getloadavg()[0]:.1f}.\n\n"
        f"{table}"
    )
    print(text)
    if options.write:
        write_section("Between the runs of a sweep", text)


if __name__ == "__main__":
    main()
