"""The benchmark's simulations at small scale: the judge's error rates and promises, within chance."""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dropout_lab.comparison.results import VerdictWord


@pytest.fixture(scope="module")
def calibration(repository: Path) -> ModuleType:
    path = repository / "benchmarks" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def chance(rate: float, num: int) -> float:
    """Return three standard errors of a share of `num` that is `rate` in truth."""
    return 3 * math.sqrt(rate * (1 - rate) / num)


@pytest.mark.parametrize(("num_conditions", "n", "num"), [(1, 5, 400), (1, 20, 300), (8, 10, 80)])
def test_no_effect_is_seldom_called_better_or_worse(
    calibration: ModuleType, num_conditions: int, n: int, num: int
) -> None:
    simulated = list(calibration.simulate(calibration.NORMAL, [0.0] * num_conditions, n, num))
    wrong, _ = calibration.share(calibration.called(one, *calibration.DECIDED) for one in simulated)
    assert wrong <= 0.05 + chance(0.05, num)
    wrong, _ = calibration.share(calibration.called_without_margin(one) for one in simulated)
    assert wrong <= 0.05 + chance(0.05, num)
    held, _ = calibration.share(calibration.holds(one[0], 0.0) for one in simulated)
    assert held == pytest.approx(0.95, abs=chance(0.05, num))


def test_a_difference_at_the_margin_is_seldom_called_equivalent(calibration: ModuleType) -> None:
    simulated = calibration.simulate(calibration.NORMAL, [calibration.MARGIN], 20, 400)
    wrong, _ = calibration.share(calibration.called(one, VerdictWord.EQUIVALENT) for one in simulated)
    assert 0 < wrong <= 0.05 + chance(0.05, 400)


@pytest.mark.parametrize(("world", "num_conditions", "num"), [(0, 1, 300), (0, 4, 100), (4, 1, 300)])
def test_planned_seeds_find_what_was_planned_for(
    calibration: ModuleType, world: int, num_conditions: int, num: int
) -> None:
    n, promised = calibration.planned(calibration.WORLDS[world], 0.003, num_conditions)
    found, _ = calibration.found(calibration.WORLDS[world], 0.003, n, num_conditions, num)
    assert 0.8 <= promised < 0.95
    assert found == pytest.approx(promised, abs=0.03 + chance(promised, num))
