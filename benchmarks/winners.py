"""How often the best trial of a search is called better although no trial differs from the baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.results import Difference, VerdictWord
from dropout_lab.seeds import generator
from simulation import (
    DIRECTED,
    NORMAL,
    NUM_TEST,
    Rows,
    World,
    called,
    draw_accuracies,
    percent,
    share,
    tested_conditions,
)

SPLIT_SD = 0.002
"""Standard deviation of what a trial owes to the examples of the validation split, with every seed."""

HARMLESS = frozenset({VerdictWord.EQUIVALENT, VerdictWord.UNDECIDED})


@dataclass(frozen=True)
class SimulatedSearch:
    """Sizes of a search whose trials all equal the baseline.

    Attributes:
        num_trials: Trials of the search.
        num_seeds: Seeds of each trial.
        num_fresh: Seeds of the confirmation.
    """

    num_trials: int
    num_seeds: int
    num_fresh: int


SEARCHES = (
    SimulatedSearch(20, 2, 5),
    SimulatedSearch(20, 2, 10),
    SimulatedSearch(20, 2, 20),
    SimulatedSearch(20, 5, 10),
    SimulatedSearch(100, 2, 10),
    SimulatedSearch(100, 5, 10),
)


def simulate_winners(
    search: SimulatedSearch, num: int, world: World = NORMAL
) -> Iterator[tuple[list[Difference], list[Difference]]]:
    """Yield the difference of the winner from the baseline, on fresh seeds and on those that chose it.

    The winner has the highest mean over its seeds of the validation accuracy: that of its run, and what it
    owes to the split. On fresh seeds, the test set is measured, on which neither has an influence.

    Args:
        search: Sizes of the search.
        num: Number of searches.
        world: Noise of the runs; conditions are paired by seed.
    """
    names = (str(search.num_trials), str(search.num_seeds))
    rng = generator(0, "luck of the split", *names)
    trials = draw_accuracies(world, [0.0] * search.num_trials, search.num_seeds, num, "trials", *names)
    fresh = draw_accuracies(world, [0.0], search.num_fresh, num, "fresh", *names)
    for on_search, on_fresh in zip(trials, fresh, strict=True):
        luck = np.round(SPLIT_SD * rng.normal(size=len(on_search)) * NUM_TEST) / NUM_TEST
        validation = on_search + luck[:, None]
        winner = 1 + int(np.argmax(validation[1:].mean(axis=1)))
        yield (
            tested_conditions(world, on_fresh),
            tested_conditions(world, validation[[0, winner]]),
        )


def winner_rows(num: int) -> Rows:
    for search in SEARCHES:
        confirmed, naive = zip(*simulate_winners(search, num), strict=True)
        yield (
            search.num_trials,
            search.num_seeds,
            search.num_fresh,
            percent(share(called(one, HARMLESS) for one in confirmed)),
            percent(share(called(one, {VerdictWord.EQUIVALENT}) for one in confirmed)),
            percent(share(called(one, DIRECTED) for one in naive)),
        )
