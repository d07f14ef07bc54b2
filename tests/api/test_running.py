"""`run`: specs in every form, on every thread, interrupted and continued; the process stays the user's."""

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

import dropout_lab as dl
from dropout_lab.api import running
from dropout_lab.api.training import pass_on
from dropout_lab.errors import Interrupted
from dropout_lab.runs.display import RunDisplay
from dropout_lab.runs.planning import plan_runs
from dropout_lab.spec import SequentialSeeds, override_spec


@pytest.fixture
def copied(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A copy of the store with its runs, in which more may be trained."""
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return trained


def test_the_runs_of_a_spec_made_in_python(in_trained: Any) -> None:
    frame = in_trained.result.runs
    assert frame["run_name"].tolist() == ["none-seed0", "half-seed0", "none-seed1", "half-seed1"]
    assert frame["test_accuracy"].between(0, 1).all()
    assert frame["params.model.dropout.dense"].tolist() == ["0.0", "0.5"] * 2
    assert not frame["was_finished"].any()
    assert in_trained.result.failures == ()
    assert repr(in_trained.result) == "RunResult('tiny': 4 finished, 0 failed)"
    assert "none-seed0" in in_trained.result._repr_html_()
    assert in_trained.changed == set()

    from dropout_lab.tracking import read_runs
    from dropout_lab.tracking.reports import load_text

    found = read_runs("tiny")
    assert load_text(found[0], "spec/given.yaml") == override_spec(in_trained.spec, []).to_yaml()
    assert {run.seed: run.initial_weights for run in found[:2]} == {
        run.seed: run.initial_weights for run in found[1::-1]
    }, "conditions are matched"


def test_finished_runs_are_found_on_any_thread_and_from_a_file(copied: Any, tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(copied.spec.to_yaml(), encoding="utf-8")
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda spec=spec: found.append(dl.run(spec, progress=False)))
        for spec in (copied.spec, str(file))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in found:
        assert result.runs["was_finished"].all()
        assert result.runs["run_id"].tolist() == copied.result.runs["run_id"].tolist()


@pytest.mark.slow
def test_workers_give_what_this_process_gives(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dropout_lab.tracking import read_runs
    from dropout_lab.training.devices import num_threads

    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(num_threads()))
    result = dl.run(copied.spec, workers=2, seeds=1, overrides={"experiment": "in workers"}, progress=False)
    assert result.runs["run_name"].tolist() == ["none-seed0", "half-seed0"]
    expected = {run.run_name: run.final_weights for run in read_runs("tiny") if run.seed == 0}
    assert {run.run_name: run.final_weights for run in read_runs("in workers")} == expected


def test_an_invalid_number_of_workers_is_refused(copied: Any) -> None:
    with pytest.raises(dl.DropoutLabError, match=r"workers: invalid value: '0' \(allowed: auto or"):
        dl.run(copied.spec, workers=0)


class Interrupting(RunDisplay):
    """Sends a signal after the first epoch."""

    def progressed(self, run: Any, progress: Any, num_steps: int) -> None:
        super().progressed(run, progress, num_steps)
        if len(progress.epochs) == 1:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_call_continues_to_the_same_weights(
    copied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dropout_lab.tracking import read_runs

    whole = {run.run_name: run.final_weights for run in read_runs("tiny")}
    handler = signal.getsignal(signal.SIGINT)
    options: Any = {"seeds": [1], "overrides": {"experiment": "again"}, "progress": False}
    with (
        monkeypatch.context() as patch,
        pytest.raises(KeyboardInterrupt, match=r"seed1 saved at .* repeat"),
    ):
        patch.setattr(running, "show_progress", lambda num_runs, progress, **_: Interrupting(num_runs))
        dl.run(copied.spec, **options)
    assert signal.getsignal(signal.SIGINT) is handler
    assert [run.status for run in read_runs("again")] == ["KILLED"]
    dl.run(copied.spec, **options)
    again = read_runs("again")
    assert [run.status for run in again] == ["FINISHED", "FINISHED"]
    assert {run.run_name: run.final_weights for run in again} == {
        name: weights for name, weights in whole.items() if name.endswith("seed1")
    }


@pytest.mark.parametrize(("fresh", "words"), [(False, "the call."), (True, "the call without `fresh`.")])
def test_an_interrupt_says_how_to_continue(fresh: bool, words: str) -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted:
        pass_on(Interrupted("a-seed0 saved.", signal_number=signal.SIGINT), fresh=fresh)
    assert str(interrupted.value) == f"a-seed0 saved. To continue, repeat {words}"


class Failing(RunDisplay):
    """Fails when a run starts to train."""

    def started(self, run: Any, run_id: str, trained_by: str, progress: Any) -> None:
        raise dl.DropoutLabError("the disk is full", hint="Buy another.")


def test_failed_runs_raise_after_the_others_or_are_returned(
    copied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "show_progress", lambda num_runs, progress, **_: Failing(num_runs))
    given = yaml.safe_load(copied.spec.to_yaml())
    spec = dl.Spec(**{**given, "conditions": {"third": {}, **given["conditions"]}})
    with pytest.raises(dl.DropoutLabError, match=r"1 of 3 runs failed:\nthird-seed0: the disk is full"):
        dl.run(spec, seeds=1)
    result = dl.run(spec, seeds=1, check=False)
    assert result.runs["run_name"].tolist() == ["none-seed0", "half-seed0"]
    assert [failure.name for failure in result.failures] == ["third-seed0"]
    assert "third-seed0 failed: the disk is full" in result._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overrides": {"training.epochs": -1}}, r"\[training.epochs\] invalid value: -1"),
        ({"overrides": ["training.epoch=1"]}, "did you mean 'epochs'"),
        ({"seeds": 0}, r"\[seeds\] invalid value: 0"),
        ({"overrides": {"data.folder": "missing"}}, "missing"),
    ],
)
def test_wrong_arguments_are_told_before_anything_starts(
    options: Any, message: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DropoutLabError, match=message) as caught:
        dl.run(trained.spec, **options)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (3, (0, 1, 2)),
        ([4, 2], (4, 2)),
        (range(1, 3), (1, 2)),
        ("2..4", SequentialSeeds(first=2, most=4)),
        ({"first": 2, "most": 9, "step": 2}, SequentialSeeds(first=2, most=9, step=2)),
    ],
)
def test_seeds_in_every_form(seeds: Any, expected: Any, trained: Any) -> None:
    texts = running.override_texts({"training.epochs": 5}, (), seeds)
    spec = override_spec(trained.spec, texts)
    assert spec.seeds == expected
    assert {run.settings.training.epochs for run in plan_runs(spec)} == {5}
