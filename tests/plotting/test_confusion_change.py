import numpy as np
import pytest

from dropout_lab.plotting.confusion_change import confusion_changes, draw_confusion_change
from dropout_lab.plotting.style import DARK, LIGHT, render

LABELS = np.array([0, 0, 1, 1], dtype=np.uint8)


def changes(make_run, by_run):
    runs = [make_run(condition, seed) for condition, seed in by_run]
    predictions = {
        run.run_id: (np.eye(2, dtype=np.float32)[classes], LABELS)
        for run, classes in zip(runs, by_run.values(), strict=True)
    }
    return confusion_changes(runs, predictions, ["baseline", "dropout"], "baseline", ["shirt"])


def test_shares_are_subtracted_by_seed_and_averaged(make_run):
    (found,) = changes(
        make_run,
        {
            ("baseline", 0): [0, 0, 1, 1],
            ("baseline", 1): [1, 1, 1, 1],
            ("dropout", 0): [0, 1, 1, 1],
            ("dropout", 1): [1, 1, 0, 0],
            ("dropout", 7): [1, 1, 0, 0],
        },
    )
    assert (found.condition, found.num_pairs, found.class_names) == ("dropout", 2, ("shirt", "class 1"))
    assert found.shares == pytest.approx(np.array([[-0.25, 0.25], [0.5, -0.5]]))
    assert found.largest(3) == [("class 1", "shirt", 0.5), ("shirt", "class 1", 0.25)]


def test_nothing_without_a_twin(make_run):
    assert changes(make_run, {("baseline", 0): [0, 0, 1, 1], ("dropout", 1): [0, 0, 1, 1]}) == ()


def test_changes_are_written_into_the_cells(make_run):
    (found,) = changes(make_run, {("baseline", 0): [0, 0, 1, 1], ("dropout", 0): [0, 1, 1, 1]})
    for theme in (LIGHT, DARK):
        figure = draw_confusion_change(found, "baseline", theme)
        assert [text.get_text() for text in figure.axes[0].texts] == ["-50.0", "+50.0"]
        assert render(figure, "svg")
