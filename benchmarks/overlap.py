"""Whether the evaluation of a finished run is done sooner beside the training of the next one.

    python benchmarks/overlap.py                # about 4 minutes on a quiet machine
    python benchmarks/overlap.py --write        # and into RESULTS.md

A round evaluates one network and trains another, first one after the other, then at once: the evaluation in a
thread, which waits for nothing but processors. Runs are short, one epoch, so that evaluation is much of them.
"""

import argparse
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from results import machine, markdown_table, write_section

SPEC = Path(__file__).resolve().parent.parent / "experiments" / "dropout.yaml"
SETTINGS = ["training.epochs=1", "data.num_train=20000", "seeds=1"]
ENGINES = ("fast", "stock")


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure(engine: str, num_rounds: int) -> list[str]:
    """Return the row of one engine."""
    from dropout_lab.data.selection import load_data
    from dropout_lab.runs.planning import plan_runs
    from dropout_lab.spec import load_spec, override_spec
    from dropout_lab.training.devices import resolve_device
    from dropout_lab.training.progress import Progress
    from dropout_lab.training.trainer import Trainer

    spec = override_spec(load_spec(SPEC), [*SETTINGS, f"training.engine={engine}"])
    (following,) = plan_runs(spec)
    # Runs of equal rates share graphs, which two threads cannot call at once.
    (finished,) = plan_runs(override_spec(spec, ["model.dropout.dense=0.4"]))
    data, device = load_data(finished.settings.data), resolve_device("cpu")
    trained = Trainer(finished.settings, data, finished.seed, device, engine)
    trained.train(Progress(), lambda _: None)
    trained.evaluate()

    def trainer() -> Trainer:
        built = Trainer(following.settings, data, following.seed, device, engine)
        built.check_dropout()
        return built

    def train(built: Trainer) -> None:
        built.train(Progress(), lambda _: None)

    def train_and_evaluate(built: Trainer) -> None:
        evaluation = threading.Thread(target=trained.evaluate)
        evaluation.start()
        train(built)
        evaluation.join()

    parts, ratios = [], []
    for _ in range(num_rounds):
        one, other = trainer(), trainer()
        evaluation = seconds(trained.evaluate)
        training = seconds(partial(train, one))
        together = seconds(partial(train_and_evaluate, other))
        parts.append((evaluation, training, together))
        ratios.append(together / (evaluation + training))
    low, median, high = np.percentile(ratios, (25, 50, 75))
    times = [f"{value:.2f}" for value in np.median(parts, axis=0)]
    return [engine, *times, f"{median:.2f} ({low:.2f} to {high:.2f})"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()

    from dropout_lab.libraries import set_variables

    set_variables()
    header = ["engine", "evaluation, s", "training, s", "at once, s", "at once / one after the other"]
    table = markdown_table(header, [measure(engine, options.rounds) for engine in ENGINES])
    text = f"{machine()}; {options.rounds} rounds.\n\n{table}"
    print(text)
    if options.write:
        write_section("Evaluation beside training", text)


if __name__ == "__main__":
    main()
