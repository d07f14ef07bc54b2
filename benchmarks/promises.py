"""Whether intervals hold the truth, and whether powers and numbers of seeds are those that were planned."""

import math
from functools import partial

import numpy as np
from scipy import stats

from dropout_lab.comparison.results import VerdictWord
from dropout_lab.comparison.seed_noise import SeedNoise
from dropout_lab.comparison.seed_plan import outcomes, plan_seeds, seed_goal
from dropout_lab.comparison.verdicts import verdict_word
from dropout_lab.seeds import generator
from dropout_lab.statistics.difference import compare_values
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import power_of_difference, seeds_for_power
from dropout_lab.statistics.sequential import SequentialDesign
from dropout_lab.statistics.sequential_power import operating_characteristics
from simulation import (
    DIRECTED,
    EVERY_SEED,
    MARGIN,
    NORMAL,
    SKEWED,
    WORLDS,
    Rows,
    World,
    called,
    draw_accuracies,
    holds,
    percent,
    share,
    simulate,
    stop_conditions,
    tested_conditions,
)

NUM_PLANS = 20


def coverage_rows(num: int) -> Rows:
    for world in (NORMAL, SKEWED, World(name="unpaired", paired=False)):
        for method in Method:
            for n in (6, 10, 20):
                held = []
                rng = generator(0, "resampling", method.value, n)
                for reference, values in draw_accuracies(world, [0.0], n, num, "coverage"):
                    one = compare_values(values, reference, paired=world.paired, method=method, rng=rng)
                    held.append(one.ci_low <= 0 <= one.ci_high)
                    assert held[-1] == (one.p_value > 1 - 0.95), "an interval contradicts its test"
                yield world.name, method.value, n, percent(share(held))


def early_stopping_rows(num: int) -> Rows:
    sd = NORMAL.sd_difference()
    for effect in (0.0, 0.5, 1.0, 1.5):
        stopped = [
            stop_conditions(NORMAL, accuracies, EVERY_SEED, MARGIN)[0]
            for accuracies in draw_accuracies(NORMAL, [effect * sd], EVERY_SEED.most, num, "stopping")
        ]
        raw = np.mean([one.raw_mean for one in stopped]) / sd - effect
        adjusted = np.mean([one.difference.mean_difference for one in stopped]) / sd - effect
        margin = MARGIN / sd
        planned = operating_characteristics(SequentialDesign(first=5, most=30), effect, margin)
        as_often = (
            n
            for n in range(5, 100)
            if operating_characteristics(SequentialDesign(first=n, most=n), effect, margin).undecided
            <= planned.undecided
        )
        yield (
            effect,
            percent(share(one.word in DIRECTED for one in stopped)),
            f"{100 * (planned.difference_found + planned.wrong_direction):.1f}%",
            percent(share(one.word is VerdictWord.EQUIVALENT for one in stopped)),
            f"{np.mean([one.difference.n for one in stopped]):.1f}",
            f"{planned.expected_seeds:.1f}",
            next(as_often, "more than 100"),
            percent(share(holds(one.difference, effect * sd) for one in stopped)),
            f"{raw:+.2f}",
            f"{adjusted:+.2f}",
        )


def planned(world: World, effect: float, num_conditions: int) -> tuple[int, float]:
    """Return the seeds that find `effect` with power 0.8 if the noise is known, and the power promised."""

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
    return share(called(differences[:1], {VerdictWord.BETTER}) for differences in simulated)


def power_rows(num: int) -> Rows:
    cases = [(NORMAL, effect, k) for effect in (0.002, 0.003, 0.005) for k in (1, 8)]
    cases += [(world, 0.003, 1) for world in WORLDS if world is not NORMAL]
    for world, effect, k in cases:
        n, promised = planned(world, effect, k)
        yield world.name, effect, k, n, f"{100 * promised:.1f}%", percent(found(world, effect, n, k, num))


def uncertain_plan_rows(num: int) -> Rows:
    for effect_in_sd in (0.5, 1.0):
        effect = effect_in_sd * NORMAL.sd_difference()
        for num_pairs in (2, 3, 5, 10):
            outcomes, promises, seeds = [], [], []
            for pairs in draw_accuracies(NORMAL, [effect], num_pairs, num, "plan"):
                sd, degrees = float(np.std(pairs[1] - pairs[0], ddof=1)), num_pairs - 1
                power_at = partial(power_of_n, effect, sd, degrees)
                n = seeds_for_power(power_at, 0.8) if sd else None
                if n is None:  # equal differences: nothing was measured
                    continue
                promises.append(power_at(n))
                outcomes.append(found_once(effect, n, len(outcomes)))
                seeds.append(n)
            yield (
                effect_in_sd,
                num_pairs,
                f"{np.median(seeds):.0f}",
                f"{100 * np.mean(promises):.1f}%",
                percent(share(outcomes)),
            )


def power_of_n(effect: float, sd: float, degrees: int, n: int) -> float:
    return power_of_difference(effect, sd, n, sd_degrees=degrees)


def found_once(effect: float, n: int, index: int) -> bool:
    """Return whether one simulated comparison of n pairs finds a true effect; margins are left out."""
    (accuracies,) = draw_accuracies(NORMAL, [effect], n, 1, "planned", str(index))
    (difference,) = tested_conditions(NORMAL, accuracies, margin=1e-9)
    return verdict_word(difference) is VerdictWord.BETTER


def sequential_plan_rows(_num: int) -> Rows:
    true_sd = NORMAL.sd_difference()
    goal = seed_goal("test_accuracy", difference=true_sd, margin=MARGIN)
    known = SeedNoise(sd_difference=true_sd, sd_degrees=math.inf, source="known")
    for num_pairs in (3, 5, 10):
        degrees = num_pairs - 1
        promised, true, most = [], [], []
        # Equally likely measured standard deviations.
        for relative in np.sqrt(stats.chi2.ppf((np.arange(NUM_PLANS) + 0.5) / NUM_PLANS, degrees) / degrees):
            noise = SeedNoise(sd_difference=relative * true_sd, sd_degrees=degrees, source="measured")
            design = next(one for one in plan_seeds(goal, noise).designs if one.name == "sequential")
            looks = SequentialDesign(first=design.first, most=design.most, step=design.step)
            promised.append(design.power)
            true.append(outcomes(looks, [goal.difference], goal, known)[0])
            most.append(design.most)
        yield (
            num_pairs,
            f"{np.median(most):.0f}",
            f"{100 * np.mean(promised):.1f}%",
            f"{100 * np.mean([one.found for one in true]):.1f}%",
            f"{np.mean([one.expected_seeds for one in true]):.1f}",
        )
