import io

import numpy as np
import pytest
from PIL import Image

from dropout_lab.plotting import draw_run
from dropout_lab.plotting.confusion import confusion_data, draw_confusion
from dropout_lab.plotting.curves import draw_curves, run_curves
from dropout_lab.plotting.style import default_settings, render
from dropout_lab.records import EpochMetrics, Evaluation

EPOCHS = [
    EpochMetrics(
        epoch=epoch,
        loss=1 / epoch,
        accuracy=0.8,
        val_loss=0.4,
        val_accuracy=0.85,
        epoch_seconds=1,
        end_time_ms=0,
    )
    for epoch in (1, 2, 3)
]
TEST = Evaluation(
    measures={"loss": 0.3, "accuracy": 0.5, "brier": 0.1, "ece": 0.01}, per_class_accuracy={0: 0.5, 1: 0.5},
    confusion_matrix=np.array([[1, 1], [1, 1]]), probs=np.zeros((0, 2), dtype=np.float32),
)  # fmt: skip


def test_a_run_has_two_png_plots():
    plots = draw_run(EPOCHS, TEST, ["shirt", "coat"])
    assert sorted(plots) == ["plots/confusion_matrix.png", "plots/learning_curves.png"]
    for content in plots.values():
        image = Image.open(io.BytesIO(content))
        assert image.format == "PNG"
        assert len(image.getcolors(maxcolors=2**20)) > 100, "the plot is blank"


def test_the_same_run_gives_the_same_bytes():
    assert draw_run(EPOCHS, TEST, ["shirt", "coat"]) == draw_run(EPOCHS, TEST, ["shirt", "coat"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_curves(run_curves(EPOCHS), side_by_side=True),
        lambda: draw_confusion(confusion_data(TEST, ["shirt", "coat"])),
    ],
    ids=["a legend outside of the axes", "a color bar"],
)
def test_drawing_once_gives_the_bytes_of_savefig(draw):
    expected = io.BytesIO()
    with default_settings():
        draw().savefig(expected, format="png", metadata={"Software": None})
    assert render(draw(), "png") == expected.getvalue()
