"""Searches from end to end: trials, pruning, a kill in the middle, and the confirmation of the best trial."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import dropout_lab as dl
from dropout_lab.errors import Interrupted, TrackingUnavailable
from dropout_lab.records import RunStatus
from dropout_lab.runs.search.search import run_search
from dropout_lab.runs.workspace import STATE_ROOT
from dropout_lab.spec import load_spec
from dropout_lab.tracking import Tracker, read_runs
from dropout_lab.training.devices import num_threads

Command = Callable[..., subprocess.Popen[str]]
NUM_TRIALS = 8
SPEC = f"""\
name: rates
model: {{network: mlp, hidden: [32]}}
training: {{epochs: 2, batch_size: 50}}
data: {{num_train: 500, num_test: 100, validation: 0.2}}
seeds: 2
search:
  space:
    training.learning_rate: {{low: 1e-5, high: 3e-2, log: true}}
    model.dropout.hidden_1: [0, 0.25, 0.5]
  trials: {NUM_TRIALS}
  seeds: 1
  sampler_seed: 19
"""
"""After five trials, four of them good, come three with learning rates so low that they must be pruned."""


def outcome_of(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.slow
def test_a_search_that_is_killed_has_the_trials_of_one_that_is_not(
    lab: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rates.yaml").write_text(SPEC)
    run = ("run", "rates.yaml", "--format", "json")
    process = command(*run)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Trial 6 "):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = outcome_of(command(*run))

    whole = tmp_path / "whole"
    whole.mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(whole)
        uninterrupted = dl.run(lab / "rates.yaml", progress=False)

    # The same trials, with bit-identical objectives; none lost, none doubled.
    assert [trial["number"] for trial in resumed["trials"]] == list(range(NUM_TRIALS))
    found = uninterrupted.search.trials.sort_values("number")
    assert [trial["objective"] for trial in resumed["trials"]] == found["val_accuracy"].tolist()
    assert [trial["state"] for trial in resumed["trials"]] == found["state"].tolist()
    for field in ("training.learning_rate", "model.dropout.hidden_1"):
        assert [trial["values"][field] for trial in resumed["trials"]] == found[field].tolist()
    assert (found["state"] == "pruned").sum() == 3
    assert resumed["verdict"] == uninterrupted.search.verdict
    assert resumed["verdict"].startswith("Confirmation on 2 fresh seeds, which no trial used: best ")

    # In MLflow: one run per trial, with its number; pruned runs are neither results nor failures.
    runs = read_runs("rates-search", histories=["val_accuracy"])
    assert Counter(run.trial for run in runs) == {str(number): 1 for number in range(NUM_TRIALS)}
    for run in runs:
        trial = resumed["trials"][int(run.trial)]
        expected = {"complete": RunStatus.FINISHED, "pruned": RunStatus.KILLED}[trial["state"]]
        assert run.status is expected
        assert run.history["val_accuracy"][-1] == trial["objective"]
        assert float(run.spec["training.learning_rate"]) == trial["values"]["training.learning_rate"]
    assert list(STATE_ROOT.glob("*/run.json")) == []

    # The best trial and the baseline, on seeds that no trial had.
    confirmed = read_runs("rates")
    assert Counter((run.condition, run.seed) for run in confirmed) == Counter(
        (condition, seed) for condition in ("baseline", "best") for seed in (0, 1)
    )
    assert not {run.seed for run in confirmed} & {run.seed for run in runs}
    best = max(
        (trial for trial in resumed["trials"] if trial["state"] == "complete"),
        key=lambda trial: trial["objective"],
    )
    assert resumed["best_trial"] == best["number"]

    # Once more: nothing is trained.
    again = dl.run("rates.yaml", progress=False)
    assert again.search.outcome.to_json()["trials"] == resumed["trials"]
    assert again.runs["was_finished"].all()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [None, 2])
def test_a_trial_that_cannot_be_trained_has_failed_and_the_search_continues(
    lab: Path, workers: int | None
) -> None:
    Path("net.py").write_text(
        "import keras\n"
        "def make(input_shape, num_classes, width):\n"
        "    if width == 3:\n"
        "        raise ValueError('3 is odd')\n"
        "    hidden = keras.layers.Dense(width), keras.layers.Dropout(0.2, name='top')\n"
        "    parts = keras.Input(input_shape), keras.layers.Flatten(), *hidden\n"
        "    return keras.Sequential([*parts, keras.layers.Dense(num_classes, activation='softmax')])\n"
    )
    shared = {"rate": 0.5, "schedule": {"shape": "early", "until": 4, "unit": "steps"}}
    spec = dl.Spec(
        name="some-fail",
        model={"network": "net.py:make", "arguments": {"width": 2}, "dropout": shared},
        training={"epochs": 1, "batch_size": 10},
        data={"num_train": 100, "num_test": 50, "validation": 0.2},
        seeds=2,
        search={
            "space": {"model.arguments.width": [2, 3, 4], "training.batch_size": [10, 40]},
            "sampler": "grid",
            "seeds": 1,
        },
    )
    found = dl.run(spec, workers=workers, progress=False).search.trials
    failed = found[found["state"] == "failed"]
    assert Counter(found["state"]) == {"complete": 2, "failed": 4}
    assert sum("3 is odd" in reason for reason in failed["reason"]) == 2
    # 80 images in batches of 40 are two steps.
    assert sum("schedule.until" in reason for reason in failed["reason"]) == 2


@pytest.mark.slow
def test_a_trial_whose_loss_diverges_has_failed_and_the_search_continues(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = dl.Spec(
        name="diverging",
        model={"network": "mlp", "hidden": [8]},
        training={"epochs": 1, "optimizer": "sgd", "batch_size": 50},
        data={"num_train": 100, "num_test": 50, "validation": 0.2},
        seeds=2,
        search={
            "space": {"training.learning_rate": [1e-3, 1e-1], "training.label_smoothing": [0.0, 0.1]},
            "sampler": "grid",
            "seeds": 1,
        },
    )
    from dropout_lab.errors import TrainingError
    from dropout_lab.training.loop import TrainingLoop

    train = TrainingLoop.train

    def diverge(self, *args):
        if self.spec.learning_rate == 1e-1:
            raise TrainingError("The loss became nan in epoch 1.")
        return train(self, *args)

    monkeypatch.setattr(TrainingLoop, "train", diverge)
    result = dl.run(spec, progress=False)
    assert Counter(result.search.trials["state"]) == {"complete": 2, "failed": 2}
    assert result.search.best["training.learning_rate"] == 1e-3
    assert "The loss became nan" in result.search.trials["reason"].iloc[-1]


@pytest.mark.slow
def test_a_store_that_is_away_leaves_the_trial_to_a_later_call(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rates.yaml").write_text(SPEC)
    overrides = ["search.trials=1", "training.epochs=1"]

    def away(*_arguments: object, **_options: object) -> None:
        raise TrackingUnavailable("The tracking server does not answer.")

    with monkeypatch.context() as outage:
        for name in ("log_epochs", "log_result"):
            outage.setattr(Tracker, name, away)
        with pytest.raises(dl.DropoutLabError, match="not logged yet") as error:
            dl.run("rates.yaml", overrides=overrides, progress=False)
    assert "dropout-lab sync" in str(error.value)
    result = dl.run("rates.yaml", overrides=overrides, progress=False)
    assert result.search.trials["state"].tolist() == ["complete"]


@pytest.mark.slow
def test_a_stop_while_the_last_trial_is_evaluated_starts_no_confirmation(
    lab: Path, make_listener: Callable[..., Any]
) -> None:
    Path("rates.yaml").write_text(SPEC)
    spec = load_spec(Path("rates.yaml"), ["search.trials=1", "training.epochs=1"])
    stopping, listener = make_listener(), make_listener()

    def stop(_run: object, phase: str) -> None:
        if phase == "evaluating":
            os.kill(os.getpid(), signal.SIGINT)

    stopping.entered = stop
    outcome = run_search(spec, lambda _: nullcontext(stopping), lambda _: nullcontext())
    assert [trial.state for trial in outcome.trials] == ["complete"]
    assert outcome.planned == ()
    with pytest.raises(Interrupted, match="stopped before the confirmation") as stopped:
        outcome.raise_problems()
    assert stopped.value.exit_code == 130
    again = run_search(spec, lambda _: nullcontext(listener), lambda _: nullcontext())
    again.raise_problems()
    assert [trial.objective for trial in again.trials] == [trial.objective for trial in outcome.trials]
    assert len(again.confirmation.outcomes) == 4


@pytest.mark.slow
def test_workers_end_bad_trials_early_and_take_the_next_one(lab: Path) -> None:
    Path("rates.yaml").write_text(SPEC)
    epochs = 40  # so that a decision comes long before the last one
    result = dl.run("rates.yaml", workers=2, overrides=[f"training.epochs={epochs}"], progress=False)
    trials = result.search.trials.sort_values("number").set_index("number")
    assert trials.index.tolist() == list(range(NUM_TRIALS))
    assert set(trials["state"]) == {"complete", "pruned"}
    # Once five trials are complete, the last two, with the lowest learning rates, end early.
    assert trials["state"].loc[6:].tolist() == ["pruned", "pruned"]
    runs = read_runs("rates-search", histories=["val_accuracy"])
    assert Counter(run.trial for run in runs) == {str(number): 1 for number in range(NUM_TRIALS)}
    for run in runs:
        trial = trials.loc[int(run.trial)]
        is_pruned = trial["state"] == "pruned"
        assert run.status is (RunStatus.KILLED if is_pruned else RunStatus.FINISHED)
        assert run.pruned == trial["reason"]
        assert (len(run.history["val_accuracy"]) < epochs) is is_pruned
        assert run.pruned == (f"pruned after epoch {len(run.history['val_accuracy'])}" if is_pruned else "")
        assert run.history["val_accuracy"][-1] == trial["val_accuracy"]
    assert list(STATE_ROOT.glob("*/run.json")) == []
    assert len(result.runs) == 4
    assert result.search.verdict.startswith("Confirmation on 2 fresh seeds")


@pytest.mark.slow
def test_workers_train_several_trials_at_once(lab: Path) -> None:
    Path("rates.yaml").write_text(SPEC)
    overrides = ["search.pruner=none", "search.trials=2", "training.epochs=1"]
    result = dl.run("rates.yaml", workers=2, overrides=overrides, progress=False)
    assert result.search.trials["state"].tolist() == ["complete"] * 2
    assert result.search.trials["val_accuracy"].is_monotonic_decreasing
    assert len(result.runs) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("ray_host")
def test_a_search_on_a_ray_cluster_that_is_killed_has_the_trials_and_weights_of_this_machine(
    lab: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    overrides = ["search.trials=4", "search.pruner=none"]
    for folder in (lab, whole):
        (folder / "rates.yaml").write_text(SPEC)
    # One run at once: then each trial is chosen with the results of all earlier ones, as in one process.
    options = ("--executor", "ray", "--address", "local", "--workers", "1", "--format", "json")
    run = ("run", "rates.yaml", *(word for value in overrides for word in ("--set", value)), *options)
    environment = {"TF_NUM_INTRAOP_THREADS": str(num_threads()), "RAY_worker_niceness": "0"}
    process = command(*run, **environment)
    assert process.stderr is not None
    for line in process.stderr:
        if "trial2-" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = outcome_of(command(*run, **environment))
    found = [run for name in ("rates-search", "rates") for run in read_runs(name)]
    there = {run.run_name: run for run in found}
    assert len(there) == len(found)
    assert list(STATE_ROOT.glob("*/run.json")) == []

    monkeypatch.chdir(whole)
    uninterrupted = dl.run("rates.yaml", overrides=overrides, progress=False)
    assert uninterrupted.search.outcome.to_json()["trials"] == resumed["trials"]
    assert uninterrupted.search.verdict == resumed["verdict"]
    here = [run for name in ("rates-search", "rates") for run in read_runs(name)]
    assert sorted(run.run_name for run in here) == sorted(there)
    assert len(here) == 4 + 4
    for run in here:
        assert there[run.run_name].status is run.status is RunStatus.FINISHED
        assert there[run.run_name].final_weights == run.final_weights
