"""The table of conditions: plain predictions against Monte Carlo dropout, temperature and ensemble."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dropout_lab.comparison.confidence import confidence_rows
from dropout_lab.comparison.ensembles import form_ensembles

PLAIN = {"test_accuracy": 0.9, "test_loss": 0.3, "test_ece": 0.05}
MC = {"mc_accuracy": 0.91, "mc_loss": 0.28, "mc_ece": 0.02}
SCALED = {"temperature_loss": 0.27, "temperature_ece": 0.01}


def test_rows_are_the_methods_that_the_runs_have(make_run) -> None:
    runs = [
        make_run("a", 0, **PLAIN, **MC, **SCALED),
        make_run("a", 1, **(PLAIN | {"test_loss": 0.5}), **MC),
        make_run("b", 0, **PLAIN),
    ]
    rows = confidence_rows(runs)
    assert [(row.condition, row.method, row.num_seeds) for row in rows] == [
        ("a", "plain", 2),
        ("a", "MC dropout", 2),
        ("a", "temperature", 1),
        ("b", "plain", 1),
    ]
    assert rows[0].means == pytest.approx({"accuracy": 0.9, "loss": 0.4, "ece": 0.05})
    assert rows[0].sds["loss"] == pytest.approx(math.sqrt(2 * 0.1**2))
    assert rows[2].means == {"accuracy": 0.9, "loss": 0.27, "ece": 0.01}
    assert math.isnan(rows[2].sds["loss"])


def test_an_ensemble_is_one_value(make_run) -> None:
    runs = [replace(make_run("a", seed, **PLAIN), run_id=str(seed)) for seed in (0, 1)]
    labels = np.array([0, 1])
    probs = {"0": np.array([[0.9, 0.1], [0.6, 0.4]]), "1": np.array([[0.7, 0.3], [0.2, 0.8]])}
    ensembles = form_ensembles(runs, {name: (one, labels) for name, one in probs.items()})
    ensemble = confidence_rows(runs, ensembles)[-1]
    assert (ensemble.method, ensemble.num_seeds) == ("ensemble", 2)
    assert ensemble.means["accuracy"] == 1
    assert ensemble.means["loss"] == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert math.isnan(ensemble.sds["loss"])
