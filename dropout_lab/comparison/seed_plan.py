"""How many seeds to train: fixed and sequential designs side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dropout_lab.comparison.seed_noise import SeedNoise
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.statistics.power import power_of_difference, power_of_equivalence, seeds_for_power
from dropout_lab.statistics.sequential import SequentialDesign
from dropout_lab.statistics.sequential_power import expected_characteristics

FIRST_LOOK = 5
MAX_LOOKS = 25
"""More looks cost simulation time and hardly save seeds."""
MAX_SEQUENTIAL_SEEDS = 500
DIFFERENCES_SHOWN = (0.0, 0.5, 1.0, 1.5)
"""True differences of a plan's table, in units of the difference to find."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a design does at one true difference.

    Attributes:
        found: Probability that the difference is found.
        equivalent: Probability that equivalence is shown.
        expected_seeds: Mean number of seeds per condition.
    """

    difference: float
    found: float
    equivalent: float
    expected_seeds: float


@dataclass(frozen=True, kw_only=True)
class DesignPlan:
    """A design and what it does.

    Attributes:
        name: ``fixed``, ``sequential`` or ``spec`` (the design that the spec states).
        first, most, step: Seeds per condition before the first look, at the last one, and between looks.
        power: Probability of finding the difference that the plan is for.
        outcomes: One for each of `DIFFERENCES_SHOWN`.
    """

    name: str
    first: int
    most: int
    step: int
    power: float
    outcomes: tuple[Outcome, ...]

    @property
    def is_fixed(self) -> bool:
        """Whether there is a single look."""
        return self.first == self.most

    @property
    def label(self) -> str:
        """Name and seeds, such as ``fixed, 10 seeds`` or ``sequential, 5 to 17 seeds``."""
        number = f"{self.first}" if self.is_fixed else f"{self.first} to {self.most}"
        name = {"spec": "as stated"}.get(self.name, self.name)
        return f"{name}, {number} seeds"


@dataclass(frozen=True, kw_only=True)
class SeedGoal:
    """What seeds are planned for.

    Attributes:
        difference: True difference to find.
        margin: Equivalence margin; None if the metric has none.
        power: Probability of finding the difference.
        num_comparisons: Conditions compared with the reference.
    """

    metric: str
    difference: float
    margin: float | None
    power: float
    confidence: float
    num_comparisons: int


@dataclass(frozen=True, kw_only=True)
class SeedPlan:
    """Numbers of seeds per condition for a goal, averaged over the uncertain noise.

    Attributes:
        num_seeds: Seeds of the fixed design that reaches the goal; None beyond 10,000.
        promised_power: Its power; NaN without it.
        equivalence_seeds: Seeds with which equivalence is shown with the goal's power if there is no
            difference; None without a margin, or beyond 10,000.
        designs: Designs that can be trained; those that need more than 500 seeds are left out.
    """

    goal: SeedGoal
    noise: SeedNoise
    num_seeds: int | None
    promised_power: float
    equivalence_seeds: int | None
    designs: tuple[DesignPlan, ...]


def seed_goal(
    metric: str,
    *,
    difference: float | None = None,
    margin: float | None = None,
    power: float = 0.8,
    confidence: float = 0.95,
    num_comparisons: int = 1,
) -> SeedGoal:
    """Return the goal; by default the metric's own margin, and 2.5 times it as the difference to find.

    Raises:
        UsageError: If there is neither a difference nor a margin.
    """
    margin = metric_info(metric).margin if margin is None else margin
    if difference is None:
        if margin is None:
            raise UsageError(
                f"{metric} has no equivalence margin to derive a difference from.",
                hint="Pass the difference to find with --difference.",
            )
        difference = 2.5 * margin
    return SeedGoal(
        metric=metric,
        difference=difference,
        margin=margin,
        power=power,
        confidence=confidence,
        num_comparisons=num_comparisons,
    )


def plan_seeds(goal: SeedGoal, noise: SeedNoise, stated: SequentialDesign | None = None) -> SeedPlan:
    """Return the seeds that reach the goal with a fixed and with a sequential design.

    Args:
        goal: What to find.
        noise: Noise of the difference between two runs.
        stated: The design that the spec states, to be assessed too.
    """
    sd, degrees, alpha, num = noise.sd_difference, noise.sd_degrees, 1 - goal.confidence, goal.num_comparisons

    def power_at(n: int) -> float:
        return power_of_difference(
            goal.difference, sd, n, sd_degrees=degrees, alpha=alpha, num_comparisons=num
        )

    def equivalence_at(n: int) -> float:
        margin = goal.margin or 0.0
        return power_of_equivalence(
            0.0, sd, n, margin=margin, sd_degrees=degrees, alpha=alpha, num_comparisons=num
        )

    num_seeds = seeds_for_power(power_at, goal.power)
    equivalence_seeds = None if goal.margin is None else seeds_for_power(equivalence_at, goal.power)
    designs = {}
    if num_seeds is not None and num_seeds <= MAX_SEQUENTIAL_SEEDS:
        designs["fixed"] = SequentialDesign(first=num_seeds, most=num_seeds)
    if stated is not None and stated.first < stated.most:
        designs["sequential"] = stated
    elif "fixed" in designs and (found := _sequential_counterpart(designs["fixed"].most, goal, noise)):
        designs["sequential"] = found
    if stated is not None and stated not in designs.values():
        designs["spec"] = stated
    return SeedPlan(
        goal=goal,
        noise=noise,
        num_seeds=num_seeds,
        promised_power=math.nan if num_seeds is None else power_at(num_seeds),
        equivalence_seeds=equivalence_seeds,
        designs=tuple(_assess(name, design, goal, noise) for name, design in designs.items()),
    )


def _assess(name: str, design: SequentialDesign, goal: SeedGoal, noise: SeedNoise) -> DesignPlan:
    shown = outcomes(design, [goal.difference * part for part in DIFFERENCES_SHOWN], goal, noise)
    return DesignPlan(
        name=name,
        first=design.first,
        most=design.most,
        step=design.step,
        power=shown[DIFFERENCES_SHOWN.index(1.0)].found,
        outcomes=shown,
    )


def outcomes(
    design: SequentialDesign, differences: Sequence[float], goal: SeedGoal, noise: SeedNoise
) -> tuple[Outcome, ...]:
    """Return what a design does at several true differences, averaged over the uncertain noise."""
    found = []
    for difference in differences:
        expected = expected_characteristics(
            design,
            difference,
            noise.sd_difference,
            goal.margin,
            sd_degrees=noise.sd_degrees,
            alpha=1 - goal.confidence,
            num_conditions=goal.num_comparisons,
        )
        # Without a true difference, either direction is a false one.
        false_one = 0.0 if difference else expected.wrong_direction
        found.append(
            Outcome(
                difference=difference,
                found=expected.difference_found + false_one,
                equivalent=expected.equivalent,
                expected_seeds=expected.expected_seeds,
            )
        )
    return tuple(found)


def _sequential_counterpart(num_seeds: int, goal: SeedGoal, noise: SeedNoise) -> SequentialDesign | None:
    """Return a sequential design that finds the difference with the goal's power; None if none is near."""
    first = min(FIRST_LOOK, max(2, num_seeds - 1))

    def design_up_to(most: int) -> SequentialDesign:
        return SequentialDesign(first=first, most=most, step=max(1, math.ceil((most - first) / MAX_LOOKS)))

    def suffices(most: int) -> bool:
        return outcomes(design_up_to(most), [goal.difference], goal, noise)[0].found >= goal.power

    low, high = num_seeds, 2 * num_seeds + 5
    if not suffices(high):
        return None
    # An exact end would cost more simulations than the seeds that it saves are worth.
    while high - low > max(1, num_seeds // 20):
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return design_up_to(high)
