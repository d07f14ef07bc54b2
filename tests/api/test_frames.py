"""Runs as a data frame."""

from typing import Any

import dropout_lab as dl
from dropout_lab.api.frames import RUN_COLUMNS


def test_one_row_per_run(in_trained: Any) -> None:
    frame = dl.load_runs("tiny", histories=["val_accuracy"])
    assert tuple(frame.columns[: len(RUN_COLUMNS)]) == RUN_COLUMNS
    assert frame["run_id"].tolist() == in_trained.result.runs["run_id"].tolist()
    assert frame["test_loss"].tolist() == in_trained.result.runs["test_loss"].tolist()
    assert set(frame["status"]) == {"FINISHED"}
    assert (frame["end_time"] > frame["start_time"]).all()
    assert frame["params.model.filters"].tolist() == ["4,8"] * 4
    assert frame["history.val_accuracy"].map(len).tolist() == [2] * 4
    assert [values[-1] for values in frame["history.val_accuracy"]] == frame["val_accuracy"].tolist()


def test_finished_runs_alone(in_trained: Any) -> None:
    assert len(dl.load_runs(finished_only=True)) == 4


def test_the_frame_can_be_judged(in_trained: Any) -> None:
    judged = dl.judge(dl.load_runs("tiny")[["condition", "seed", "test_accuracy"]], reference="none")
    compared = dl.compare("tiny")
    difference = compared.comparison.difference("half", "test_accuracy").mean_difference
    assert judged.comparison.difference("half", "test_accuracy").mean_difference == difference
