"""The critical difference plot shows every condition and every group."""

from dropout_lab.comparison.pairwise import AllPairs
from dropout_lab.plotting.critical_difference import draw_critical_difference
from dropout_lab.plotting.style import DARK, LIGHT

FOUND = AllPairs(
    metric="test_accuracy", conditions=("a", "b", "c"), num_seeds=5, num_pairs=3, is_tested=True, pairs=(),
    mean_ranks={"a": 1.2, "b": 1.8, "c": 3.0}, critical_difference=1.48, friedman_p=0.02,
    groups=(("a", "b"),),
)  # fmt: skip


def test_conditions_stand_in_order_of_rank_with_a_bar_over_each_group() -> None:
    for theme in (LIGHT, DARK):
        (axes,) = draw_critical_difference(FOUND, theme).axes
        assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
        assert [line.get_xdata()[0] for line in axes.lines] == [1.2, 1.8, 3.0]
        bars = [collection.get_segments()[0] for collection in axes.collections][3:]
        assert [(segment[0][0], segment[1][0]) for segment in bars] == [(1.2, 1.8)]
        assert "critical difference 1.48" in axes.get_xlabel()
