"""Specs are trained by one function, in this process or in workers."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from dropout_lab.runs import workers
from dropout_lab.runs.designs import train_designs
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.worker_plan import WorkerPlan
from dropout_lab.spec import load_spec

DATA = """
import numpy as np

x = np.random.default_rng(0).random((30, 4), dtype=np.float32)
y = np.arange(30) % 2


def load():
    return (x, y), (x[:10], y[:10])
"""

SPEC = """
name: repeated
data: {dataset: 'repeated.py:load'}
model: {network: mlp, hidden: [2]}
training: {epochs: 1}
"""


@pytest.mark.parametrize("plan", [None, WorkerPlan(2, 1)], ids=["here", "workers"])
def test_what_is_noted_of_data_is_reported_once(
    plan: WorkerPlan | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_listener: Callable[..., Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "repeated.py").write_text(DATA)
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.setattr(workers, "execute_design_in_workers", lambda *_, **__: Report())
    listener = make_listener()
    designs = [
        plan_runs(load_spec(tmp_path / "spec.yaml", [f"experiment={name}"])) for name in ("one", "two")
    ]
    train_designs(designs, nullcontext(listener), lambda _: nullcontext(), plan=plan)
    assert len([note for note in listener.notes if "training" in note and "10" in note]) == 1
