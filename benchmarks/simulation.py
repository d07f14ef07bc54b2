"""Simulated comparisons whose truth is known, judged by the code that judges real ones."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Difference, VerdictWord
from dropout_lab.comparison.standing import Stage, Standing
from dropout_lab.comparison.testing import tested_differences
from dropout_lab.comparison.verdicts import verdict_word
from dropout_lab.design import Claim, Design, claims_fingerprint
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.seeds import generator
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.multiplicity import holm
from dropout_lab.statistics.sequential import SequentialDesign, SequentialTest, sequential_test

Rows = Iterable[Sequence[object]]

METRIC = "test_accuracy"
METRICS = (METRIC, "test_loss", "generalization_gap", "test_brier", "test_ece")
BASELINE = 0.9
RUN_SD = 0.002
NUM_TEST = 10_000
MARGIN = 0.002

EIGHT_LOOKS = Design(first=5, most=40, step=5)
EVERY_SEED = Design(first=5, most=30)

DIRECTED = frozenset(VerdictWord) - {VerdictWord.EQUIVALENT, VerdictWord.UNDECIDED, VerdictWord.INTERIM}
"""Verdicts that call a condition different from the reference."""


@dataclass(frozen=True, kw_only=True)
class World:
    """How the simulated accuracies come about.

    Attributes:
        correlation: Correlation of two conditions' runs at one seed.
        spread: Standard deviation of the conditions' runs, relative to the reference's.
        skewed: Whether noise is exponential instead of normal.
        paired: Whether the conditions share their seeds.
        sd: Standard deviation of the reference's runs.
    """

    name: str
    correlation: float = 0.5
    spread: float = 1.0
    skewed: bool = False
    paired: bool = True
    sd: float = RUN_SD

    def sd_difference(self) -> float:
        """Return the standard deviation of the difference between two runs."""
        covariance = self.correlation * self.spread if self.paired else 0.0
        return self.sd * math.sqrt(1 + self.spread**2 - 2 * covariance)


NORMAL = World(name="normal")
SKEWED = World(name="skewed", skewed=True)
WORLDS = (
    NORMAL,
    World(name="normal, uncorrelated", correlation=0.0),
    World(name="normal, twice the spread", spread=2.0),
    SKEWED,
    World(name="unpaired", paired=False),
)


def draw_accuracies(
    world: World, effects: Sequence[float], n: int, num_comparisons: int, *names: str
) -> Iterator[np.ndarray]:
    """Yield accuracies of the reference and of conditions with these true effects: (1 + num_effects, n).

    They are rounded as those of 10,000 test images are.
    """
    rng = generator(0, "calibration", world.name, world.sd.hex(), n, *map(str, effects), *names)

    def noise(*shape: int) -> np.ndarray:
        return rng.exponential(size=shape) - 1 if world.skewed else rng.normal(size=shape)

    common = math.sqrt(world.correlation) if world.paired else 0.0
    scales = np.array([1.0] + [world.spread] * len(effects))
    for _ in range(num_comparisons):
        shared, own = noise(n), noise(len(effects) + 1, n)
        runs = world.sd * scales[:, None] * (common * shared + math.sqrt(1 - common**2) * own)
        exact = BASELINE + np.array([0.0, *effects])[:, None] + runs
        yield np.round(exact * NUM_TEST) / NUM_TEST


def tested_conditions(
    world: World,
    accuracies: np.ndarray,
    *,
    method: Method = Method.T,
    design: Design | None = None,
    margin: float = MARGIN,
) -> list[Difference]:
    """Return the tested differences of all conditions from the first row.

    Args:
        world: Whether the rows are paired.
        accuracies: (1 + num_conditions, n).
        method: How differences are tested.
        design: The sequential design, if it is one.
        margin: Equivalence margin.
    """
    n = accuracies.shape[1]
    values = {
        str(index): dict(zip(range(n) if world.paired else range(index * n, index * n + n), row, strict=True))
        for index, row in enumerate(accuracies)
    }
    standings = None
    if design is not None:
        standings = {
            name: Standing(
                condition=name,
                stage=Stage.SEQUENTIAL,
                num_seeds=n,
                seeds=tuple(range(n)),
                planned=design.most,
                looks=tuple(look for look in design.looks if look <= n),
                design=design,
            )
            for name in values
        }
    question = Question(method=method)
    return tested_differences({METRIC: values}, "0", METRIC, {METRIC: margin}, question, standings)


def simulate(
    world: World,
    effects: Sequence[float],
    n: int,
    num_comparisons: int,
    *,
    method: Method = Method.T,
) -> Iterable[list[Difference]]:
    """Yield the tested differences of comparisons of conditions with these true effects."""
    for accuracies in draw_accuracies(world, effects, n, num_comparisons):
        yield tested_conditions(world, accuracies, method=method)


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """One condition of a sequential comparison when it stopped.

    Attributes:
        raw_mean: Mean difference before the adjustment for early stopping.
    """

    word: VerdictWord
    difference: Difference
    raw_mean: float


def stop_conditions(world: World, accuracies: np.ndarray, design: Design, margin: float) -> list[Stopped]:
    """Return each condition as it stopped, looking after each of the design's looks as `run` does.

    A decided condition is not trained further; its seeds so far remain in the comparison of the others.
    """
    num_conditions = len(accuracies) - 1
    plan = SequentialDesign(first=design.first, most=design.most, step=design.step)
    stopped: dict[int, Stopped] = {}
    seeds = dict.fromkeys(range(1, num_conditions + 1), 0)
    tests: dict[int, SequentialTest] = {}
    for look in design.looks:
        for index in seeds:
            if index not in stopped:
                seeds[index] = look
                tests[index] = sequential_test(
                    accuracies[index, :look], accuracies[0, :look], plan, margin=margin
                )
        p_values = holm([tests[index].p_value for index in seeds])
        equivalence_ps = holm([tests[index].equivalence_p for index in seeds])
        smallest = np.minimum(p_values, equivalence_ps)
        if look < design.most and all(
            p > 1 - 0.95 or index in stopped for index, p in zip(seeds, smallest, strict=True)
        ):
            continue  # whole differences are computed only when a condition stops
        differences = _differences_at(world, accuracies, seeds, design, margin)
        for index, difference, p in zip(seeds, differences, p_values, strict=True):
            assert difference.p_adjusted == p, "the judge's own p-value differs"
            word = verdict_word(difference)
            if index not in stopped and (word is not VerdictWord.UNDECIDED or look == design.most):
                pairs = accuracies[index, :look] - accuracies[0, :look]
                stopped[index] = Stopped(word=word, difference=difference, raw_mean=float(pairs.mean()))
        if len(stopped) == num_conditions:
            break
    return [stopped[index] for index in seeds]


def _differences_at(
    world: World, accuracies: np.ndarray, seeds: dict[int, int], design: Design, margin: float
) -> list[Difference]:
    if len(set(seeds.values())) == 1:
        look = next(iter(seeds.values()))
        return tested_conditions(world, accuracies[:, :look], design=design, margin=margin)
    values = {"0": dict(enumerate(accuracies[0, : max(seeds.values())]))}
    standings = {}
    for index, look in seeds.items():
        values[str(index)] = dict(enumerate(accuracies[index, :look]))
        standings[str(index)] = Standing(
            condition=str(index),
            stage=Stage.SEQUENTIAL,
            num_seeds=look,
            seeds=tuple(range(look)),
            planned=design.most,
            looks=tuple(one for one in design.looks if one <= look),
            design=design,
        )
    return tested_differences({METRIC: values}, "0", METRIC, {METRIC: margin}, Question(), standings)


def share(outcomes: Iterable[bool]) -> tuple[float, float]:
    """Return the share of true outcomes and its Monte Carlo standard error."""
    counted = list(outcomes)
    mean = sum(counted) / len(counted)
    return mean, math.sqrt(max(mean * (1 - mean), 1 / len(counted)) / len(counted))


def called(differences: Sequence[Difference], words: Iterable[VerdictWord]) -> bool:
    """Return whether any of these conditions gets one of these verdicts."""
    return any(verdict_word(one) in words for one in differences)


def called_without_margin(differences: Sequence[Difference]) -> bool:
    """Return whether any of these conditions would be better or worse if none were ever equivalent."""
    nothing = {"equivalence_p": math.nan, "equivalence_p_adjusted": math.nan}
    return called([replace(one, **nothing) for one in differences], DIRECTED)


def holds(difference: Difference, effect: float) -> bool:
    """Return whether the interval holds the true difference."""
    return difference.ci_low <= effect <= difference.ci_high


def percent(value: tuple[float, float]) -> str:
    return f"{100 * value[0]:.1f} ± {100 * value[1]:.1f}%"


def whole_output_runs(
    rng: np.random.Generator, num_conditions: int, n: int, correlation: float, claims: Sequence[Claim]
) -> list[RunRecord]:
    """Return finished runs without any effect, whose five default metrics are equally correlated."""
    design = Design(first=n, most=n, num_conditions=num_conditions + 1, claims=tuple(claims))
    runs = []
    for index in range(num_conditions + 1):
        shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, len(METRICS)))
        noise = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
        for seed in range(n):
            values = 0.5 + 0.02 * noise[seed]  # so much noise that nothing is equivalent
            runs.append(
                RunRecord(
                    run_id=f"{index}-{seed}",
                    run_name=f"{index}-{seed}",
                    experiment_id="1",
                    experiment_name="simulated",
                    status=RunStatus.FINISHED,
                    condition="baseline" if index == 0 else f"dropout{index}",
                    seed=seed,
                    start_time=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=seed),
                    spec={"model.dropout.dense": str(index / 100)},
                    metrics=dict(zip(METRICS, values.tolist(), strict=True)),
                    claims_fingerprint=claims_fingerprint(claims),
                    design=design,
                )
            )
    return runs
