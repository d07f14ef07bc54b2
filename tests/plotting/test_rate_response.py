import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.plotting.rate_response import draw_rate_response, rate_response


def compare(make_run, rates_by_condition, **spec):
    return compare_runs(
        [
            make_run(name, seed, rates=rates, test_accuracy=0.9 + seed / 100, spec=spec.get(name))
            for name, rates in rates_by_condition.items()
            for seed in (0, 1)
        ]
    )


def test_one_rate_for_all_sites(make_run):
    comparison = compare(make_run, {"high": (0.5,) * 3, "baseline": (0,) * 3, "low": (0.1,) * 3})
    response = rate_response(comparison)
    assert response.site == "all sites"
    points = response.points["test_accuracy"]
    assert [(point.condition, point.dropout_rate) for point in points] == [
        ("baseline", 0.0), ("low", 0.1), ("high", 0.5),
    ]  # fmt: skip
    assert points[0].values == (0.9, 0.91)
    assert points[0].mean == pytest.approx((0.9 + 0.91) / 2)


def test_the_rate_of_one_site(make_run):
    rates = {"baseline": (0.2, 0.2, 0), "some": (0.2, 0.2, 0.3), "more": (0.2, 0.2, 0.6)}
    response = rate_response(compare(make_run, rates))
    assert response.site == "dense"
    assert [point.dropout_rate for point in response.points["test_accuracy"]] == [0, 0.3, 0.6]


@pytest.mark.parametrize(
    "rates",
    [
        {"baseline": (0, 0, 0), "dropout": (0.2, 0.2, 0.5)},
        {"baseline": (0, 0, 0), "dropout": (0.5, 0.5, 0.5)},
        {"baseline": (0, 0, 0), "a": (0.2, 0.2, 0.5), "b": (0.3, 0.1, 0.5)},
    ],
    ids=["published", "two rates", "several sites"],
)
def test_no_response_without_three_rates_of_one_kind(make_run, rates):
    assert rate_response(compare(make_run, rates)) is None


def test_a_condition_with_another_network_is_no_point_of_the_response(make_run):
    rates = {"baseline": (0, 0, 0), "a": (0.1,) * 3, "b": (0.2,) * 3, "after": (0.3,) * 3}
    other = {"after": {"model.dropout_position": "after_pooling"}}
    points = rate_response(compare(make_run, rates, **other)).points["test_accuracy"]
    assert [point.condition for point in points] == ["baseline", "a", "b"]


def test_axes_have_units(make_run):
    rates = {"baseline": (0, 0, 0), "a": (0.1,) * 3, "b": (0.2,) * 3}
    (axes,) = draw_rate_response(rate_response(compare(make_run, rates))).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("dropout rate, all sites (%)", "test accuracy\n(%)")
    assert axes.xaxis.get_major_formatter()(0.2, 0) == "20"


def test_several_sites_with_the_same_rate_are_one_axis(make_run):
    rates = {"baseline": (0.2, 0, 0), "some": (0.2, 0.3, 0.3), "more": (0.2, 0.6, 0.6)}
    response = rate_response(compare(make_run, rates))
    assert response.site == "conv2, dense"
    assert [point.dropout_rate for point in response.points["test_accuracy"]] == [0, 0.3, 0.6]
