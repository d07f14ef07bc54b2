"""Does the judge keep its promises? Simulated comparisons, judged by the code that judges real ones.

    python benchmarks/calibration.py [--comparisons 2000]

Prints Markdown tables: how often a condition without an effect is called better or worse, how often
intervals hold the true difference, how often a difference at the margin is called equivalent, and how often
a true difference is found with the seeds that the plan asks for. A few minutes on one core.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Difference, VerdictWord
from dropout_lab.comparison.testing import tested_differences
from dropout_lab.comparison.verdicts import verdict_word
from dropout_lab.seeds import generator
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import power_of_difference, power_of_equivalence, seeds_for_power

METRIC = "test_accuracy"
BASELINE = 0.9
RUN_SD = 0.002
NUM_TEST = 10_000
MARGIN = 0.002
MAX_BOOTSTRAPPED = 600  # each takes 10,000 resamples

DECIDED = (VerdictWord.BETTER, VerdictWord.WORSE)


@dataclass(frozen=True, kw_only=True)
class World:
    """How the simulated accuracies come about.

    Attributes:
        correlation: Of two conditions' runs at one seed.
        spread: Standard deviation of the conditions' runs, relative to the reference's.
        skewed: Noise like an exponential distribution's instead of normal.
        paired: Whether the conditions share their seeds.
    """

    name: str
    correlation: float = 0.5
    spread: float = 1.0
    skewed: bool = False
    paired: bool = True

    def sd_difference(self) -> float:
        """Return the standard deviation of the difference between two runs."""
        covariance = self.correlation * self.spread if self.paired else 0.0
        return RUN_SD * math.sqrt(1 + self.spread**2 - 2 * covariance)


NORMAL = World(name="normal")
SKEWED = World(name="skewed", skewed=True)
WORLDS = (
    NORMAL,
    World(name="normal, uncorrelated", correlation=0.0),
    World(name="normal, twice the spread", spread=2.0),
    SKEWED,
    World(name="unpaired", paired=False),
)


def simulate(
    world: World,
    effects: Sequence[float],
    n: int,
    num_comparisons: int,
    *,
    method: Method = Method.T,
) -> Iterable[list[Difference]]:
    """Yield the tested differences of `num_comparisons` comparisons of conditions with these true effects.

    Args:
        world: How the accuracies come about.
        effects: True differences from the reference, one for each condition.
        n: Seeds a condition.
        num_comparisons: How many comparisons.
        method: How differences are tested.
    """
    rng = generator(0, "calibration", world.name, n, *map(str, effects))
    question = Question(margins={METRIC: MARGIN}, method=method)
    seeds = range(n)

    def noise(*shape: int) -> np.ndarray:
        return rng.exponential(size=shape) - 1 if world.skewed else rng.normal(size=shape)

    for _ in range(num_comparisons):
        shared, own = noise(n), noise(len(effects) + 1, n)
        common = math.sqrt(world.correlation) if world.paired else 0.0
        scales = np.array([1.0] + [world.spread] * len(effects))
        runs = RUN_SD * scales[:, None] * (common * shared + math.sqrt(1 - common**2) * own)
        exact = BASELINE + np.array([0.0, *effects])[:, None] + runs
        accuracies = np.round(exact * NUM_TEST) / NUM_TEST
        values = {
            str(index): dict(
                zip(seeds if world.paired else range(index * n, index * n + n), row, strict=True)
            )
            for index, row in enumerate(accuracies)
        }
        yield tested_differences({METRIC: values}, "0", METRIC, question.margins, question)


def share(outcomes: Iterable[bool]) -> tuple[float, float]:
    """Return the share of true outcomes and its Monte-Carlo standard error."""
    counted = list(outcomes)
    mean = sum(counted) / len(counted)
    return mean, math.sqrt(max(mean * (1 - mean), 1 / len(counted)) / len(counted))


def called(differences: list[Difference], *words: VerdictWord) -> bool:
    """Return whether any of these conditions gets one of these verdicts."""
    return any(verdict_word(one) in words for one in differences)


def called_without_margin(differences: list[Difference]) -> bool:
    """Return whether any of these conditions would be better or worse, were none ever called equivalent."""
    nothing = {"equivalence_p": math.nan, "equivalence_p_adjusted": math.nan}
    return called([replace(one, **nothing) for one in differences], *DECIDED)


def holds(difference: Difference, effect: float) -> bool:
    """Return whether the interval holds the true difference."""
    return difference.ci_low <= effect <= difference.ci_high


def _percent(value: tuple[float, float]) -> str:
    return f"{100 * value[0]:.1f} ± {100 * value[1]:.1f} %"


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(headings)} |\n|{' --- |' * len(headings)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


def _no_effect_rows(num: int) -> Iterable[Sequence[object]]:
    for world in WORLDS:
        for k in (1, 8) if world is NORMAL else (1,):
            for n in (5, 10, 20):
                simulated = list(simulate(world, [0.0] * k, n, num))
                promised = power_of_equivalence(
                    0.0, world.sd_difference(), n, margin=MARGIN, num_comparisons=k, paired=world.paired
                )
                yield (
                    world.name,
                    k,
                    n,
                    _percent(share(called(differences, *DECIDED) for differences in simulated)),
                    _percent(share(called_without_margin(differences) for differences in simulated)),
                    _percent(share(holds(differences[0], 0.0) for differences in simulated)),
                    f"{100 * promised:.1f} %",
                    _percent(
                        share(called(differences[:1], VerdictWord.EQUIVALENT) for differences in simulated)
                    ),
                )


def _margin_rows(num: int) -> Iterable[Sequence[object]]:
    for world, k, n in ((NORMAL, 1, 10), (NORMAL, 1, 20), (NORMAL, 8, 20), (SKEWED, 1, 20)):
        simulated = simulate(world, [MARGIN] * k, n, num)
        wrong = share(called(differences, VerdictWord.EQUIVALENT) for differences in simulated)
        yield world.name, k, n, _percent(wrong)


def _bootstrap_rows(num: int) -> Iterable[Sequence[object]]:
    for world in (NORMAL, SKEWED):
        for n in (5, 10, 20):
            simulated = simulate(world, [0.0], n, num, method=Method.BOOTSTRAP)
            yield world.name, n, _percent(share(holds(one, 0.0) for (one,) in simulated))


def planned(world: World, effect: float, num_conditions: int) -> tuple[int, float]:
    """Return the seeds that the plan asks for to find `effect` with power 0.8, and the power promised."""

    def power_at(n: int) -> float:
        return power_of_difference(
            effect, world.sd_difference(), n, num_comparisons=num_conditions, paired=world.paired
        )

    n = seeds_for_power(power_at, 0.8)
    assert n is not None
    return n, power_at(n)


def found(world: World, effect: float, n: int, num_conditions: int, num: int) -> tuple[float, float]:
    """Return how often one condition's true effect is found among conditions without any."""
    effects = [effect] + [0.0] * (num_conditions - 1)
    simulated = simulate(world, effects, n, num)
    return share(called(differences[:1], VerdictWord.BETTER) for differences in simulated)


def _power_rows(num: int) -> Iterable[Sequence[object]]:
    cases = [(NORMAL, effect, k) for effect in (0.002, 0.003, 0.005) for k in (1, 8)]
    cases += [(world, 0.003, 1) for world in WORLDS if world is not NORMAL]
    for world, effect, k in cases:
        n, promised = planned(world, effect, k)
        yield world.name, effect, k, n, f"{100 * promised:.1f} %", _percent(found(world, effect, n, k, num))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--comparisons", type=int, default=2000, help="simulated comparisons for each figure")
    num = parser.parse_args().comparisons
    print(
        f"{num} simulated comparisons for each figure; ± one Monte-Carlo standard error. Test accuracies "
        f"with a standard deviation of {RUN_SD} over seeds; confidence 0.95, margin {MARGIN}."
    )
    _table(
        "No effect: how often at least one condition is called better or worse (at most 5 %)",
        (
            "noise",
            "conditions",
            "seeds",
            "better or worse",
            "were there no margin",
            "interval holds the truth",
            "equivalence promised",
            "equivalent",
        ),
        _no_effect_rows(num),
    )
    _table(
        "True difference at the margin: how often at least one condition is called equivalent (at most 5 %)",
        ("noise", "conditions", "seeds", "equivalent"),
        _margin_rows(num),
    )
    _table(
        "One condition with an effect: how often it is found with the planned seeds (power 0.8)",
        ("noise", "true difference", "conditions", "seeds", "promised", "found"),
        _power_rows(num),
    )
    _table(
        f"BCa bootstrap: how often intervals hold the truth (95 %; {min(num, MAX_BOOTSTRAPPED)} comparisons)",
        ("noise", "seeds", "interval holds the truth"),
        _bootstrap_rows(min(num, MAX_BOOTSTRAPPED)),
    )


if __name__ == "__main__":
    main()
