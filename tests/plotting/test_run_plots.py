import io

import numpy as np
from PIL import Image

from dropout_lab.plotting import draw_run
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
