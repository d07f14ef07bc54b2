from pathlib import Path

import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.runs import watch
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.runner import Runner
from dropout_lab.spec import load_spec
from dropout_lab.tracking import connect
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.loop import Progress
from dropout_lab.training.trainer import Trainer


@pytest.mark.parametrize(
    ("checkpoint_seconds", "saved"),
    [
        (3600.0, [(1, 0), (2, 0)]),
        (0.0, [(0, 10), (0, 20), (1, 0), (1, 10), (1, 20), (2, 0)]),
    ],
)
def test_state_is_saved_after_each_epoch_and_within_one_when_it_is_old(
    lab: Path,
    monkeypatch: pytest.MonkeyPatch,
    checkpoint_seconds: float,
    saved: list[tuple[int, int]],
    make_listener,
) -> None:
    listener = make_listener()
    steps: list[tuple[int, int]] = []
    save = Trainer.save

    def note_and_save(self: Trainer, folder: Path, progress: Progress) -> None:
        steps.append((len(progress.epochs), progress.step_in_epoch))
        save(self, folder, progress)

    monkeypatch.setattr(Trainer, "save", note_and_save)
    monkeypatch.setattr(watch, "CHECKPOINT_SECONDS", checkpoint_seconds)
    spec = load_spec(lab / "tiny.yaml", ["training.batch_size=10", "training.epochs=2"])
    run = plan_runs(spec)[0]
    runner = Runner(connect("tiny in lab"), listener, listener.stop)
    runner.execute(run, load_data(run.settings.data), resolve_device("cpu"))
    assert steps == saved
