"""The luck of a search's winner is not reported as its skill."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def winners(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import winners

    yield winners
    for name in ("winners", "simulation"):
        sys.modules.pop(name, None)


def test_the_best_of_trials_without_an_effect_is_rarely_called_different_on_fresh_seeds(winners):
    num = 300
    search = winners.SimulatedSearch(num_trials=20, num_seeds=5, num_fresh=10)
    confirmed = [fresh for fresh, _ in winners.simulate_winners(search, num)]
    wrong = sum(winners.called(one, winners.DIRECTED) for one in confirmed)
    # Were the rate 5%, more than 26 of 300 would come up once in 250 times.
    assert wrong <= 26
    assert sum(winners.called(one, winners.HARMLESS) for one in confirmed) == num - wrong


def test_on_the_seeds_that_chose_it_the_winner_of_nothing_looks_better(winners):
    search = winners.SimulatedSearch(num_trials=20, num_seeds=5, num_fresh=10)
    naive = [own for _, own in winners.simulate_winners(search, 100)]
    assert sum(winners.called(one, winners.DIRECTED) for one in naive) > 50
