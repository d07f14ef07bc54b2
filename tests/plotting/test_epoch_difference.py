import pytest

from dropout_lab.plotting.epoch_difference import draw_epoch_differences, epoch_differences


def runs_of(make_run, **values):
    return [
        make_run(name, seed, history={"val_accuracy": history})
        for name, histories in values.items()
        for seed, history in enumerate(histories)
    ]


def test_seeds_are_paired_at_each_epoch_up_to_the_last_that_all_have(make_run):
    runs = runs_of(
        make_run,
        baseline=[(0.5, 0.6, 0.7), (0.6, 0.7)],
        dropout=[(0.4, 0.65, 0.8), (0.3, 0.75, 0.8), (0.9, 0.9)],
    )
    (one,) = epoch_differences(runs, ["baseline", "dropout"], "baseline")
    assert (one.condition, one.number, one.num_pairs) == ("dropout", 1, 2)
    assert one.mean == pytest.approx((-0.2, 0.05))
    half_width = 12.706205 * 0.1  # t with 1 degree of freedom; the standard error is |0.3 - 0.1| / 2
    assert (one.low[0], one.high[0]) == pytest.approx((-0.2 - half_width, -0.2 + half_width))
    assert (one.low[1], one.high[1]) == pytest.approx((0.05, 0.05))


def test_one_pair_has_no_band(make_run):
    runs = runs_of(make_run, baseline=[(0.5, 0.6)], dropout=[(0.4, 0.7)])
    (one,) = epoch_differences(runs, ["baseline", "dropout"], "baseline")
    assert one.low == one.mean == one.high


def test_runs_without_twin_or_history_are_left_out(make_run):
    runs = runs_of(make_run, baseline=[()], dropout=[(0.4,), (0.5,)])
    assert epoch_differences(runs, ["baseline", "dropout"], "baseline") == ()


def test_a_wide_band_does_not_flatten_the_lines(make_run):
    runs = runs_of(make_run, baseline=[(0.5,), (0.5,)], dropout=[(0.4,), (0.62,)])
    axes = draw_epoch_differences(epoch_differences(runs, ["dropout"], "baseline"), "baseline").axes[0]
    assert axes.get_ylim() == pytest.approx((-0.04, 0.04)), "4 times the mean of -0.1 and 0.12"
