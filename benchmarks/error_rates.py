"""How often comparisons without an effect, or at the margin, are decided wrongly."""

from dataclasses import replace

import numpy as np

from dropout_lab.comparison.claims import ClaimStatus
from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.measured_seeds import seeds_as_measured
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.comparison.verdicts import verdict_word
from dropout_lab.design import Claim
from dropout_lab.seeds import generator
from dropout_lab.statistics.power import power_of_equivalence
from dropout_lab.statistics.sequential import unplanned_looks
from simulation import (
    DIRECTED,
    EIGHT_LOOKS,
    EVERY_SEED,
    MARGIN,
    NORMAL,
    SKEWED,
    WORLDS,
    Rows,
    World,
    called,
    called_without_margin,
    draw_accuracies,
    percent,
    share,
    simulate,
    stop_conditions,
    tested_conditions,
    whole_output_runs,
)

MAX_ADDED = 1_000
"""A spec takes at most so many seeds."""
MAX_PRINTED = 60
"""Comparisons whose printed error rate is computed: each set of looks is simulated."""


def fixed_rows(num: int) -> Rows:
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
                    percent(share(called(differences, DIRECTED) for differences in simulated)),
                    percent(share(map(called_without_margin, simulated))),
                    f"{100 * promised:.1f}%",
                    percent(share(called(one[:1], {VerdictWord.EQUIVALENT}) for one in simulated)),
                )


def sequential_rows(num: int) -> Rows:
    for k, design in ((1, EVERY_SEED), (1, EIGHT_LOOKS), (8, EIGHT_LOOKS)):
        for sd in (0.002, 0.02) if (k, design) == (1, EIGHT_LOOKS) else (0.002,):
            world = replace(NORMAL, sd=sd)
            stopped = [
                stop_conditions(world, accuracies, design, MARGIN)
                for accuracies in draw_accuracies(world, [0.0] * k, design.most, num)
            ]
            yield (
                k,
                len(design.looks),
                f"{100 * sd:.1f}",
                percent(share(any(one.word in DIRECTED for one in ones) for ones in stopped)),
                percent(share(ones[0].word is VerdictWord.EQUIVALENT for ones in stopped)),
                f"{np.mean([one.difference.n for ones in stopped for one in ones]):.1f}",
            )


def added_rows(num: int) -> Rows:
    for sd in (0.002, 0.004, 0.01, 0.02):
        world = replace(NORMAL, sd=sd)
        outcomes, all_looks = [], []
        for accuracies in draw_accuracies(world, [0.0], MAX_ADDED, num, "added"):
            word, looks = add_seeds(world, accuracies)
            outcomes.append(word in DIRECTED)
            all_looks.append(looks)
        printed = [unplanned_looks(looks, 0.05).error_rate for looks in all_looks[:MAX_PRINTED]]
        yield (
            f"{100 * sd:.1f}",
            percent(share(outcomes)),
            f"{np.mean([len(looks) for looks in all_looks]):.1f}",
            f"{100 * np.mean(printed):.1f}%",
            f"{100 * max(printed):.1f}%",
        )


def add_seeds(world: World, accuracies: np.ndarray) -> tuple[VerdictWord, list[int]]:
    """Return the verdict and the looks of adding the seeds that are said to be needed, up to eight looks.

    Args:
        world: The world.
        accuracies: (2, num_seeds).
    """
    looks, n, word = [], 5, VerdictWord.UNDECIDED
    while len(looks) < 8 and n <= accuracies.shape[1]:
        (difference,) = tested_conditions(world, accuracies[:, :n])
        looks.append(n)
        word = verdict_word(difference)
        if word is not VerdictWord.UNDECIDED:
            break
        needed = seeds_as_measured(
            difference.mean_difference, difference.sd_difference, n,
            margin=difference.margin, confidence=0.95, num_comparisons=1,
        )  # fmt: skip
        if needed is None:
            break
        n = max(needed, n + 1)
    return word, looks


CLAIMS = (
    Claim(metric="test_accuracy", condition="dropout1", reference="baseline", expected="higher", margin=0.0),
    Claim(metric="test_loss", condition="dropout1", reference="baseline", expected="lower", margin=0.0),
)


def whole_output_rows(num: int) -> Rows:
    for k, correlations in ((1, (0.0, 0.5, 0.8)), (8, (0.5,))):
        for correlation in correlations:
            rng = generator(0, "whole output", k, str(correlation))
            found = []
            for _ in range(num):
                comparison = compare_runs(
                    whole_output_runs(rng, k, 10, correlation, CLAIMS), Question(claims=CLAIMS)
                )
                wrong = [one for one in comparison.verdicts if one.word in DIRECTED]
                found.append(
                    (
                        any(one.is_primary for one in wrong),
                        any(not one.is_primary for one in wrong),
                        any(one.status is ClaimStatus.SUPPORTED for one in comparison.claims),
                    )
                )
            columns = [percent(share(column)) for column in zip(*found, strict=True)]
            yield k, correlation, *columns, percent(share(map(any, found)))


def margin_rows(num: int) -> Rows:
    for world, k, n in ((NORMAL, 1, 10), (NORMAL, 1, 20), (NORMAL, 8, 20), (SKEWED, 1, 20)):
        simulated = simulate(world, [MARGIN] * k, n, num)
        yield world.name, k, n, percent(share(called(one, {VerdictWord.EQUIVALENT}) for one in simulated))
    for sd, k in ((0.002, 1), (0.0005, 1), (0.0005, 8)):
        world = replace(NORMAL, sd=sd)
        wrong = share(
            any(
                one.word is VerdictWord.EQUIVALENT
                for one in stop_conditions(world, rows, EIGHT_LOOKS, MARGIN)
            )
            for rows in draw_accuracies(world, [MARGIN] * k, EIGHT_LOOKS.most, num, "margin")
        )
        yield f"normal, SD {100 * sd:g} points", k, "5 to 40", percent(wrong)
