"""Progress in a notebook, with the two functions of IPython that it uses."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

import dropout_lab as dl
from dropout_lab.api import training
from dropout_lab.api.notebook import NotebookDisplay
from dropout_lab.records import EpochMetrics
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import plan_runs
from dropout_lab.training.progress import Progress

EPOCH = EpochMetrics(
    epoch=1, loss=1, accuracy=0.5, val_loss=1, val_accuracy=0.625, epoch_seconds=1, end_time_ms=1
)


class Handle:
    """A cell's output that can be replaced."""

    def __init__(self, content: str) -> None:
        self.content = content

    def update(self, content: str) -> None:
        self.content = content


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    """The outputs of a cell."""
    outputs: list[Handle] = []
    module: Any = ModuleType("IPython.display")
    module.HTML = str

    def display(content: str, display_id: bool) -> Handle:
        assert display_id
        outputs.append(Handle(content))
        return outputs[-1]

    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return outputs


def test_one_output_shows_all_runs(cell: list[Handle]) -> None:
    first, second = plan_runs(dl.Spec(name="x", seeds=2, training={"epochs": 2}))
    first = replace(first, condition="<b>")
    with NotebookDisplay(2) as display:
        display.started(first, "0123456789", "fast engine", Progress())
        (output,) = cell
        assert "&lt;b&gt;-seed0: run 01234567, fast engine" in output.content
        display._shown_at = 0
        display.progressed(first, Progress(epochs=(EPOCH,), step_in_epoch=5), 10)
        assert 'value="0.3750"' in output.content, "three quarters of one run of two"
        assert "epoch 2/2, val accuracy 62.50%" in output.content
        display.finished(RunOutcome(first, "0123456789", {}))
        display.failed(Failure(second.name, "no memory"))
    assert len(cell) == 1
    assert "1 of 2 runs finished, 1 failed" in output.content
    assert "x-seed1 failed: no memory" in output.content
    assert "epoch" not in output.content


def test_the_display_fits_the_place(cell: list[Handle], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not isinstance(training.show_progress(1, progress=True), NotebookDisplay)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert isinstance(training.show_progress(1, progress=True), NotebookDisplay)
    with training.show_progress(1, progress=False) as silent:
        silent.noted("something")
    assert cell == []
