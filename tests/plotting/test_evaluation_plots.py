import numpy as np
import pytest

from dropout_lab.evaluation.temperature import scale_by_temperature
from dropout_lab.plotting.evaluation_plots import (
    MONTE_CARLO,
    PLAIN,
    TEMPERATURE,
    EvaluatedRun,
    evaluation_plots,
)
from dropout_lab.plotting.plot_files import save_plots
from dropout_lab.plotting.style import DARK

RANDOM = np.random.default_rng(0)
NAMES = ("cat", "dog", "owl")
IMAGES = RANDOM.integers(0, 256, (60, 6, 6, 1), dtype=np.uint8)


def run(condition: str, *, everything: bool = True, images: np.ndarray | None = IMAGES) -> EvaluatedRun:
    labels = RANDOM.integers(3, size=60)
    probs, monte_carlo = RANDOM.dirichlet(np.ones(3), (2, 60))
    if not everything:
        return EvaluatedRun(condition=condition, labels=labels, probs=probs)
    sets = {"digits": RANDOM.random(30), "uniform": RANDOM.random(20)}
    shifts = {f"shift_accuracy_{name}_{s}": 1 - s / 10 for name in ("noise", "blur") for s in range(1, 6)}
    return EvaluatedRun(
        condition=condition,
        labels=labels,
        probs=probs,
        monte_carlo=monte_carlo,
        temperature=2.0,
        outside={PLAIN: sets, MONTE_CARLO: sets},
        metrics={"test_accuracy": 0.95, **shifts},
        images=images,
        class_names=NAMES,
    )


def test_one_condition_has_each_plot_once():
    plots = evaluation_plots([run("dropout"), run("dropout")])
    assert [plot.name for plot in plots] == [
        *("shift_accuracy", "reliability", "risk_coverage", "entropy", "uncertain_images"),
    ]
    for plot in plots:
        assert plot.draw(DARK).axes
        assert plot.caption.endswith(".")
        assert plot.alt.endswith(".")
    assert "95.00% to 50.00%" in plots[0].alt
    assert f"{PLAIN} is" in plots[1].alt
    assert f"{TEMPERATURE} is" in plots[1].alt
    assert "test set" in plots[3].alt


def test_each_condition_has_its_own_and_shifts_are_drawn_together():
    plots = evaluation_plots([run("baseline"), run("dropout")])
    assert [plot.name for plot in plots] == [
        "shift_accuracy",
        *(
            f"{plot}-{condition}"
            for condition in ("baseline", "dropout")
            for plot in ("reliability", "risk_coverage", "entropy", "uncertain_images")
        ),
    ]
    assert plots[0].alt.count("baseline") == plots[0].alt.count("dropout") == 3
    assert plots[5].title == "Reliability: dropout"
    assert plots[5].caption.startswith("dropout. ")


def test_what_was_not_measured_is_not_drawn(tmp_path):
    plots = evaluation_plots([run("dropout", everything=False)])
    assert [plot.name for plot in plots] == ["reliability", "risk_coverage"]
    written = save_plots(plots, tmp_path)
    assert len(written) == 2 * 2 * 2
    assert all(path.stat().st_size > 1000 for path in written)


def test_ways_of_prediction_are_those_of_the_run():
    one = run("dropout")
    assert list(one.ways) == [PLAIN, MONTE_CARLO, TEMPERATURE]
    assert one.ways[TEMPERATURE] == pytest.approx(scale_by_temperature(one.probs, 2.0))
    assert list(run("dropout", everything=False).ways) == [PLAIN]
