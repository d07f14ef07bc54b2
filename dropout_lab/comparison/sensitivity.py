"""What a comparison could have shown: how small a difference, and how narrow an equivalence."""

from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.results import Comparison, Difference
from dropout_lab.comparison.standing import Stage
from dropout_lab.seeds import generator
from dropout_lab.statistics.difference import shift_test
from dropout_lab.statistics.power import detectable_difference


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How sensitive the test of one difference was.

    Attributes:
        detectable: The smallest true difference that as many seeds find with power 0.8 if the spread is as
            measured; infinite if none is found.
        equivalence_margin: The smallest margin within which these runs show equivalence, at the level that
            Holm's adjustment leaves this comparison; infinite if there are too few seeds.
    """

    detectable: float
    equivalence_margin: float


def sensitivity(comparison: Comparison, difference: Difference) -> Sensitivity | None:
    """Return how sensitive the test of `difference` was.

    Returns:
        None if nothing was tested, the values do not vary, or the test has several looks, which the single
        test that is asked about here would ignore.
    """
    standing = next((one for one in comparison.standings if one.condition == difference.condition), None)
    if difference.n < 2 or not difference.sd_difference > 0:
        return None
    if standing is not None and standing.stage is not Stage.PLANNED:
        return None
    alpha = 1 - difference.confidence
    values, reference = (
        comparison.summary(name, difference.metric).values
        for name in (difference.condition, difference.reference)
    )
    seeds = list(difference.differences)
    test = shift_test(
        np.array([values[seed] for seed in seeds] if seeds else list(values.values())),
        np.array([reference[seed] for seed in seeds] if seeds else list(reference.values())),
        paired=difference.paired,
        method=comparison.method,
        rng=generator(0, "bootstrap", difference.metric),
    )
    level = difference.equivalence_level
    return Sensitivity(
        detectable=detectable_difference(
            difference.sd_difference,
            difference.n,
            sd_degrees=(difference.n - 1) * (1 if difference.paired else 2),
            alpha=alpha,
            num_comparisons=difference.num_tests,
            paired=difference.paired,
        ),
        equivalence_margin=max(-test.lower(level), test.upper(level), 0.0),
    )
