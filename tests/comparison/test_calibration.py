"""The calibration benchmark at small scale: error rates, intervals and powers, within chance."""

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from dropout_lab.comparison.results import VerdictWord
from dropout_lab.design import Design

NAMES = ("simulation", "error_rates", "promises")


@pytest.fixture(scope="module")
def calibration(repository: Path) -> Iterator[SimpleNamespace]:
    """Return the benchmark's functions; its modules import each other by their bare names."""
    folder = str(repository / "benchmarks")
    sys.path.insert(0, folder)
    try:
        modules: list[ModuleType] = [importlib.import_module(name) for name in NAMES]
        yield SimpleNamespace(**{name: value for one in modules for name, value in vars(one).items()})
    finally:
        sys.path.remove(folder)
        for name in NAMES:
            sys.modules.pop(name, None)


def chance(rate: float, num: int) -> float:
    """Return three standard errors of a share of `num` whose true rate is `rate`."""
    return 3 * math.sqrt(rate * (1 - rate) / num)


@pytest.mark.parametrize(("num_conditions", "n", "num"), [(1, 5, 400), (1, 20, 300), (8, 10, 80)])
def test_no_effect_is_seldom_called_better_or_worse(
    calibration: SimpleNamespace, num_conditions: int, n: int, num: int
) -> None:
    simulated = list(calibration.simulate(calibration.NORMAL, [0.0] * num_conditions, n, num))
    wrong, _ = calibration.share(calibration.called(one, calibration.DIRECTED) for one in simulated)
    assert wrong <= 0.05 + chance(0.05, num)
    wrong, _ = calibration.share(map(calibration.called_without_margin, simulated))
    assert wrong <= 0.05 + chance(0.05, num)
    held, _ = calibration.share(calibration.holds(one[0], 0.0) for one in simulated)
    assert held == pytest.approx(0.95, abs=chance(0.05, num))


@pytest.mark.parametrize(("num_conditions", "effect", "num"), [(1, 0.0, 300), (1, 0.003, 300), (4, 0.0, 80)])
def test_sequential_comparisons_err_seldom_and_hold_the_truth(
    calibration: SimpleNamespace, num_conditions: int, effect: float, num: int
) -> None:
    design = Design(first=5, most=20, step=3)
    drawn = calibration.draw_accuracies(calibration.NORMAL, [effect] * num_conditions, 20, num)
    stopped = [
        calibration.stop_conditions(calibration.NORMAL, accuracies, design, calibration.MARGIN)
        for accuracies in drawn
    ]
    held, _ = calibration.share(calibration.holds(ones[0].difference, effect) for ones in stopped)
    assert held >= 0.95 - chance(0.05, num)
    wrong_words = calibration.DIRECTED if effect == 0 else {VerdictWord.WORSE, VerdictWord.EQUIVALENT}
    wrong, _ = calibration.share(any(one.word in wrong_words for one in ones) for ones in stopped)
    assert wrong <= 0.05 + chance(0.05, num)
    assert {one.difference.n for ones in stopped for one in ones} <= set(design.looks)


def test_a_decided_condition_keeps_its_seeds(calibration: SimpleNamespace) -> None:
    design = Design(first=5, most=20, step=5)
    (accuracies,) = calibration.draw_accuracies(calibration.NORMAL, [0.02, 0.0005], 20, 1)
    large, small = calibration.stop_conditions(calibration.NORMAL, accuracies, design, 1e-9)
    assert (large.word, large.difference.n) == (VerdictWord.BETTER, 5)
    assert small.difference.n > 5


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_each_part_of_the_default_output_errs_seldom(
    calibration: SimpleNamespace, correlation: float
) -> None:
    num, found = 200, []
    rng = calibration.generator(0, "test", str(correlation))
    for _ in range(num):
        runs = calibration.whole_output_runs(rng, 1, 6, correlation, calibration.CLAIMS)
        comparison = calibration.compare_runs(runs, calibration.Question(claims=calibration.CLAIMS))
        wrong = [one.is_primary for one in comparison.verdicts if one.word in calibration.DIRECTED]
        supported = any(one.status is calibration.ClaimStatus.SUPPORTED for one in comparison.claims)
        found.append((True in wrong, False in wrong, supported))
    for part in zip(*found, strict=True):
        assert calibration.share(part)[0] <= 0.05 + chance(0.05, num)


def test_a_difference_at_the_margin_is_seldom_called_equivalent(calibration: SimpleNamespace) -> None:
    simulated = calibration.simulate(calibration.NORMAL, [calibration.MARGIN], 20, 400)
    wrong, _ = calibration.share(calibration.called(one, {VerdictWord.EQUIVALENT}) for one in simulated)
    assert 0 < wrong <= 0.05 + chance(0.05, 400)


@pytest.mark.parametrize(("world", "num_conditions", "num"), [(0, 1, 300), (0, 4, 100), (4, 1, 300)])
def test_planned_seeds_find_what_was_planned_for(
    calibration: SimpleNamespace, world: int, num_conditions: int, num: int
) -> None:
    n, promised = calibration.planned(calibration.WORLDS[world], 0.003, num_conditions)
    found, _ = calibration.found(calibration.WORLDS[world], 0.003, n, num_conditions, num)
    assert 0.8 <= promised < 0.95
    assert found == pytest.approx(promised, abs=0.03 + chance(promised, num))


def test_adding_seeds_against_the_advice_has_its_looks_counted(calibration: SimpleNamespace) -> None:
    (accuracies,) = calibration.draw_accuracies(calibration.NORMAL, [0.0], 1_000, 1, "a test")
    word, looks = calibration.add_seeds(calibration.NORMAL, accuracies)
    assert looks[0] == 5
    assert looks == sorted(set(looks))
    assert len(looks) <= 8
    assert word is not VerdictWord.INTERIM
