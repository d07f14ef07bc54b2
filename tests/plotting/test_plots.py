import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.errors import UsageError
from dropout_lab.plotting import CURVE_METRICS, comparison_plots, save_plots


@pytest.fixture(scope="module")
def runs(make_run):
    return [
        make_run(
            name,
            seed,
            test_accuracy=0.9 + seed / 100 + shift,
            test_accuracy_class_0=0.8 + shift,
            history=dict.fromkeys(CURVE_METRICS, (0.5, 0.6 + shift)),
        )
        for name, shift in (("baseline", 0), ("dropout", 0.01))
        for seed in (0, 1)
    ]


@pytest.fixture(scope="module")
def plots(runs):
    probs = np.array([[0.9, 0.1], [0.3, 0.7]] * 20, dtype=np.float32)
    predictions = {run.run_id: (probs, np.zeros(40, dtype=np.uint8)) for run in runs}
    return comparison_plots(compare_runs(runs), predictions, ["shirt"])


def test_every_plot_with_values_is_there_and_in_words(plots):
    by_name = {plot.name: plot for plot in plots}
    assert list(by_name) == [
        "paired_seeds",
        "forest",
        "epoch_difference",
        "class_change",
        "reliability",
        "confusion_change",
        "learning_curves",
    ]
    assert "2 of 2 seeds higher" in by_name["paired_seeds"].alt
    assert "test accuracy, dropout: +1.00 points, " in by_name["forest"].alt
    assert "dropout validation 61.00%" in by_name["learning_curves"].alt
    assert "dropout, shirt: +1.00 points" in by_name["class_change"].alt
    assert "baseline 0.4000" in by_name["reliability"].alt, "((1 - 0.9) + (0.7 - 0)) / 2"
    assert (
        "baseline is overconfident on average (confidence 80.00%, accuracy 50.00%)."
        in by_name["reliability"].alt
    )
    assert "Last epoch: dropout +1.00 points." in by_name["epoch_difference"].alt


def test_what_was_not_logged_is_not_drawn(make_run):
    comparison = compare_runs([make_run("baseline", 0, test_loss=0.3), make_run("dropout", 0, test_loss=0.2)])
    assert [plot.name for plot in comparison_plots(comparison)] == ["paired_seeds", "forest"]


def test_files_are_complete_and_the_same_again(plots, tmp_path):
    folder = tmp_path / "new" / "folder"
    written = save_plots(plots[1:2], folder)
    names = ["forest-dark.png", "forest-dark.svg", "forest.png", "forest.svg"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in written) == names
    assert ET.parse(folder / "forest.svg").getroot().tag.endswith("svg")
    before = [path.read_bytes() for path in written]
    assert len(set(before)) == len(before)
    assert [path.read_bytes() for path in save_plots(plots[1:2], folder)] == before


def test_a_file_in_place_of_the_folder_is_told(plots, tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match=r"--plots: cannot write to .*file"):
        save_plots(plots, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


def test_many_conditions_have_a_forest_for_each_metric_and_a_row_of_curves_each(make_run):
    metrics = ("test_accuracy", "test_loss", "test_brier")
    runs = [
        make_run(
            name,
            seed,
            **dict.fromkeys(metrics, 0.5 + seed / 100 + number / 50),
            history=dict.fromkeys(CURVE_METRICS, (0.5, 0.6)),
        )
        for number, name in enumerate(("baseline", *"abcdefghi"))
        for seed in (0, 1)
    ]
    by_name = {plot.name: plot for plot in comparison_plots(compare_runs(runs))}
    forests = {name: plot.title for name, plot in by_name.items() if name.startswith("forest")}
    assert forests == {
        "forest": "Test accuracy",
        "forest-test_loss": "Test loss",
        "forest-test_brier": "Test Brier score",
    }
    assert "Gray: baseline." in by_name["learning_curves"].caption
    assert "paired_seeds" not in by_name
