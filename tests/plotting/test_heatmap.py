"""Heat maps of grids of two settings."""

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.plotting.heatmap import draw_heat_map, heat_map
from dropout_lab.plotting.plots import comparison_plots
from dropout_lab.plotting.rate_response import rate_response
from dropout_lab.plotting.style import DARK, LIGHT, render


@pytest.fixture
def compare(make_run):
    """Compare conditions, each with its rates and other settings; accuracy follows the mean rate."""

    def compare(conditions, varying=("model.dropout",), allow=()):
        runs = [
            make_run(
                name,
                seed,
                rates=rates,
                spec=spec,
                test_accuracy=0.9 + seed / 1000 - sum(rates) * (0.1 + (-1) ** seed / 1000),
            )
            for name, (rates, spec) in conditions.items()
            for seed in range(4)
        ]
        return compare_runs(runs, Question(varying=varying, allow=allow))

    return compare


def sites(conv1s, denses):
    return {f"conv1-{a}_dense-{b}": ((a, 0.0, b), {}) for a in conv1s for b in denses}


def test_two_sites(compare):
    data = heat_map(compare(sites((0.0, 0.2, 0.1), (0.0, 0.5))))
    assert data.settings == ("model.dropout.conv1", "model.dropout.dense")
    assert data.values == (("0.0", "0.1", "0.2"), ("0.0", "0.5"))
    assert len(data.cells) == 6
    assert (data.cells[0, 0].condition, data.cells[0, 0].word) == ("conv1-0.0_dense-0.0", "reference")
    cell = data.cells[2, 1]
    assert (cell.condition, cell.word) == ("conv1-0.2_dense-0.5", "worse")
    assert cell.mean_difference == pytest.approx(-0.07)


def test_one_rate_for_all_sites_is_one_setting(compare):
    conditions = {
        f"dropout-{rate}_epochs-{epochs}": ((rate,) * 3, {"training.epochs": epochs})
        for rate in (0.0, 0.5)
        for epochs in ("5", "10")
    }
    comparison = compare(conditions, varying=("model.dropout", "training.epochs"), allow=("batch_order",))
    data = heat_map(comparison)
    assert sorted(data.settings) == ["model.dropout", "training.epochs"]
    assert ("5", "10") in data.values, "in order of size"
    assert rate_response(comparison) is None, "a rate with other epochs is no point of the same line"


def test_a_regularizer_that_is_not_used_comes_first(compare):
    """Runs log weight decay only if they have it."""
    conditions = {
        f"dropout-{rate}_decay-{decay}": ((rate,) * 3, {"training.weight_decay": decay} if decay else {})
        for rate in (0.0, 0.5)
        for decay in ("", "0.1", "1.0")
    }
    data = heat_map(compare(conditions, varying=("model.dropout", "training.weight_decay")))
    assert dict(zip(data.settings, data.values, strict=True)) == {
        "model.dropout": ("0.0", "0.5"),
        "training.weight_decay": ("0.0", "0.1", "1.0"),
    }
    assert len(data.cells) == 6


def test_one_kind_for_all_sites_is_one_setting(compare):
    conditions = {
        f"{kind}-{rate}": ((rate,) * 3, {f"model.dropout.{site}.kind": kind for site in named})
        for kind, named in (("standard", ()), ("gaussian", ("conv1", "conv2", "dense")))
        for rate in (0.1, 0.5)
    }
    comparison = compare(conditions)
    data = heat_map(comparison)
    assert data.settings == ("model.dropout", "model.dropout.kind")
    assert data.values == (("0.1", "0.5"), ("gaussian", "standard"))
    assert rate_response(comparison) is None, "rates of another kind are no points of the same line"


@pytest.mark.parametrize(
    "conditions",
    [
        {"baseline": ((0.0, 0.0, 0.0), {}), "a": ((0.1, 0.0, 0.1), {}), "b": ((0.2, 0.0, 0.2), {})},
        {"baseline": ((0.0, 0.0, 0.0), {}), "a": ((0.1, 0.0, 0.0), {}), "b": ((0.2, 0.0, 0.0), {})},
        {f"r{a}{b}{c}": ((a / 10, b / 10, c / 10), {}) for a in (0, 1) for b in (0, 1) for c in (0, 1)},
        {f"r{a}": ((a / 100, 0.0, b / 10), {}) for a in range(13) for b in (a % 2,)},
    ],
    ids=["varied together", "one setting", "three settings", "too many values"],
)
def test_no_heat_map_of_anything_else(compare, conditions):
    assert heat_map(compare(conditions)) is None


def test_a_combination_that_was_not_trained_is_empty(compare):
    conditions = sites((0.0, 0.1, 0.2), (0.0, 0.5))
    del conditions["conv1-0.1_dense-0.5"]
    assert (1, 1) not in heat_map(compare(conditions)).cells


def test_the_plot_has_units_and_every_number(compare):
    comparison = compare(sites((0.0, 0.2), (0.0, 0.5)))
    figure = draw_heat_map(heat_map(comparison))
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("model.dropout.dense", "model.dropout.conv1")
    assert bar.get_ylabel() == "test accuracy (percentage points)"
    assert sorted(text.get_text() for text in axes.texts) == [
        "-2.00\nworse", "-5.00\nworse", "-7.00\nworse", "reference",
    ]  # fmt: skip
    (plot,) = (one for one in comparison_plots(comparison) if one.name == "heat_map")
    assert "conv1-0.2_dense-0.5: -7.00" in plot.alt
    assert render(plot.draw(LIGHT), "png") != render(plot.draw(DARK), "png")


def test_settings_that_change_together_are_one(compare):
    conditions = {
        f"dense-{rate}_size-{size}": (
            (0.0, 0.0, rate),
            {"data.num_train": size, "training.epochs": epochs},
        )
        for rate in (0.0, 0.5)
        for size, epochs in (("1000", "50"), ("60000", "4"), ("5000", "20"))
    }
    varying = ("model.dropout", "data.num_train", "training.epochs")
    data = heat_map(compare(conditions, varying, allow=("batch_order",)))
    linked = next(one for one in data.settings if " / " in one)
    assert sorted(linked.split(" / ")) == ["data.num_train", "training.epochs"]
    sizes = data.values[data.settings.index(linked)]
    assert sorted(map(float, (one.split(" / ")[0] for one in sizes))) == [
        float(one.split(" / ")[0]) for one in sizes
    ]
    assert len(data.cells) == 6
