import io
import os
import signal

import pytest
from rich.console import Console

from dropout_lab.records import EpochMetrics
from dropout_lab.runs.display import SETTLE_SECONDS, RunDisplay, _Clock
from dropout_lab.runs.outcome import RunOutcome
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.stopping import listen_for_stop
from dropout_lab.spec import Settings
from dropout_lab.training.progress import Progress

RUN = PlannedRun("baseline", 0, Settings(), Origin("study"))
OTHER = PlannedRun("dropout", 0, Settings(), Origin("study"))
ADDRESS = f"/{'long/' * 30}"


def epochs(count: int) -> tuple[EpochMetrics, ...]:
    return tuple(
        EpochMetrics(
            epoch=number,
            loss=0.5,
            accuracy=0.8,
            val_loss=0.4,
            val_accuracy=0.85,
            epoch_seconds=3.4,
            end_time_ms=0,
        )
        for number in range(1, count + 1)
    )


def status(display: RunDisplay, name: str) -> str:
    return next(task.fields["status"] for task in display._bars.tasks if task.description.startswith(name))


def shown(width: int, *, at_once: bool = False) -> list[str]:
    """Lines of a run at a width of `width` columns, without its bars."""
    file = io.StringIO()
    display = RunDisplay(2, Console(file=file, width=width, force_terminal=False), at_once=at_once)
    display.started(RUN, "0123456789abcdef", "fast engine on a processor", Progress())
    display.progressed(RUN, Progress(epochs=epochs(10), step_in_epoch=0), 100)
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "  epoch 10/10  loss 0.5000  acc 80.00%  val_loss 0.4000  val_acc 85.00%  3.4 s"),
        (60, "  epoch 10/10  acc 80.00%  val_acc 85.00%  3.4 s"),
    ],
)
def test_an_epoch_line_fits_the_terminal(width, line):
    assert shown(width) == [
        "Training with the fast engine on a processor",
        "[1/2] baseline-seed0 (01234567)",
        line,
    ]


def test_lines_of_runs_that_are_trained_at_once_name_their_run():
    assert shown(100, at_once=True)[-1].startswith("  baseline-seed0  epoch 10/10  loss 0.5000")


def test_the_phase_of_a_run_and_the_number_of_finished_runs_are_named():
    with RunDisplay(2, Console(file=io.StringIO(), width=100, force_terminal=True)) as display:
        display.started(RUN, "0123456789abcdef", "fast engine", Progress())
        assert status(display, "baseline-seed0") == "compiling"
        display.progressed(RUN, Progress(epochs=epochs(5), step_in_epoch=50), 100)
        assert status(display, "baseline-seed0").startswith("val accuracy 85.00%")
        display.progressed(RUN, Progress(epochs=epochs(10), step_in_epoch=0), 100)
        display.entered(RUN, "evaluating")
        assert status(display, "baseline-seed0") == "evaluating"
        display.entered(OTHER, "logging model")  # as `sync` does, without training
        assert status(display, "dropout-seed0") == "logging model"
        assert status(display, "all runs") == "0/2 runs done"
        display.finished(RunOutcome(RUN, "0123456789abcdef", {}))
        assert status(display, "all runs").startswith("1/2 runs done")
        display.finished(RunOutcome(OTHER, "0123456789abcdef", {}))
        assert status(display, "all runs") == "2/2 runs done"


def test_runs_of_two_specs_may_have_the_same_name():
    file = io.StringIO()
    display = RunDisplay(2, Console(file=file, width=100, force_terminal=False))
    for run_id in ("01234567", "89abcdef"):
        display.started(RUN, run_id, "fast engine", Progress())
        display.finished(RunOutcome(RUN, run_id, {}))
    assert file.getvalue().splitlines()[1:] == [
        "[1/2] baseline-seed0 (01234567)",
        "[2/2] baseline-seed0 (89abcdef)",
    ]


def test_a_word_longer_than_the_terminal_stays_whole():
    file = io.StringIO()
    RunDisplay(1, Console(file=file, width=60, force_terminal=True)).noted(f"The model is in {ADDRESS} now.")
    assert ADDRESS in file.getvalue()


def test_a_note_is_wrapped_between_words():
    file = io.StringIO()
    note = " ".join(["baseline-seed0"] * 12)
    RunDisplay(1, Console(file=file, width=60, force_terminal=True)).noted(f"{note}\n  Second line.")
    *lines, last = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(lines).split() == note.split()
    assert last == "  Second line."


def test_the_time_left_follows_from_the_time_of_what_is_done(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("dropout_lab.runs.display.time.monotonic", lambda: now[0])
    clock = _Clock(start=0.2)
    assert clock.left(0.2) == []
    now[0] += 600
    assert clock.left(0.6) == ["10 min left"]
    assert clock.left(1.0) == []


def test_the_time_left_for_all_runs_is_estimated_from_work_that_shows_the_pace(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("dropout_lab.runs.display.time.monotonic", lambda: now[0])
    with RunDisplay(2, Console(file=io.StringIO(), width=100, force_terminal=True)) as display:
        now[0] += 600  # TensorFlow is started
        display.entered(RUN, "preparing")
        display.started(RUN, "0123456789abcdef", "fast engine", Progress())
        now[0] += SETTLE_SECONDS / 2
        display.progressed(RUN, Progress(epochs=epochs(1), step_in_epoch=0), 100)
        assert status(display, "all runs") == "0/2 runs done"
        now[0] += 89
        display.progressed(RUN, Progress(epochs=epochs(5), step_in_epoch=0), 100)
        assert status(display, "all runs") == "0/2 runs done, 5 min left"


def test_a_request_to_stop_is_shown_at_once_and_as_long_as_it_is_heeded():
    file = io.StringIO()
    with RunDisplay(1, Console(file=file, width=100, force_terminal=True)) as display:
        display.started(RUN, "0123456789abcdef", "fast engine", Progress())
        with listen_for_stop():
            os.kill(os.getpid(), signal.SIGINT)
            display._bars.refresh()
            assert "baseline-seed0" in file.getvalue().splitlines()[-1]
            assert "stopping, saves its state" in file.getvalue().splitlines()[-1]
        display._bars.refresh()
        assert "compiling" in file.getvalue().splitlines()[-1]
