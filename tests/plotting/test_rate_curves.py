from dataclasses import replace

from dropout_lab.plotting.curves import draw_curves, run_curves
from dropout_lab.plotting.rate_curves import rate_curves
from dropout_lab.plotting.style import LIGHT
from dropout_lab.records import EpochMetrics

EPOCHS = [
    EpochMetrics(
        epoch=epoch, loss=0.7, accuracy=0.8, val_loss=0.4, val_accuracy=0.8, epoch_seconds=1, end_time_ms=0
    )
    for epoch in (1, 2, 3)
]


def test_sites_with_the_same_rates_share_a_line() -> None:
    rates = [{"conv1": 0.2 / epoch, "conv2": 0.2 / epoch, "dense": 0.5 / epoch} for epoch in (1, 2)]
    assert rate_curves(rates) == {"conv1, conv2": (0.2, 0.1), "dense": (0.5, 0.25)}


def test_rates_that_stay_are_not_drawn() -> None:
    assert rate_curves([]) == rate_curves([{}, {}]) == rate_curves([{"a": 0.2}, {"a": 0.2}]) == {}
    assert rate_curves([{"a": 0.2, "b": 0.1}, {"a": 0.2, "b": 0.0}]) == {"a": (0.2, 0.2), "b": (0.1, 0.0)}


def test_a_run_begun_by_an_earlier_version_has_no_rates_of_its_first_epochs() -> None:
    assert rate_curves([{}, {"a": 0.2}]) == rate_curves([{"a": 0.2}, {}]) == {}


def test_the_panel_is_there_only_if_a_rate_changes() -> None:
    early = [replace(one, rates={"conv1": 0.5 * (one.epoch < 3)}) for one in EPOCHS]
    constant = [replace(one, rates={"conv1": 0.5}) for one in EPOCHS]
    for side_by_side in (True, False):
        assert len(draw_curves(run_curves(constant), LIGHT, side_by_side=side_by_side).axes) == 2
        *_, axes = draw_curves(run_curves(early), LIGHT, side_by_side=side_by_side).axes
        (line,) = axes.get_lines()
        assert list(line.get_ydata()) == [0.5, 0.5, 0.0]
        assert list(line.get_xdata()) == [1, 2, 3]
