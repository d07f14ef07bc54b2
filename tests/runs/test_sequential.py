"""Sequential designs: which runs are trained, and when it ends."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.errors import Interrupted, SpecError
from dropout_lab.records import Design, RunRecord
from dropout_lab.runs.outcome import Failure, Report
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.sequential import execute_sequentially, take_look
from dropout_lab.spec import load_spec
from dropout_lab.tracking import read_runs

MakeRun = Callable[..., RunRecord]
SPEC = """
name: s
seeds: {first: 4, most: 12, step: 2}
conditions: {baseline: {}, far: {model: {dropout: 0.5}}, near: {model: {dropout: 0.1}}}
"""
EFFECTS = {"baseline": 0.0, "far": -0.05, "near": -0.002}


class Trainer:
    """Trains nothing: a run's accuracy is its condition's effect and noise of its seed."""

    def __init__(self, make_run: MakeRun, stop_after: int | None = None) -> None:
        self.make_run, self.stop_after = make_run, stop_after
        self.store: dict[tuple[str, int], RunRecord] = {}
        self.num_trained = 0

    def execute(self, batch: Sequence[PlannedRun]) -> Report:
        report = Report()
        for run in batch:
            if (run.condition, run.seed) in self.store:
                continue
            if self.num_trained == self.stop_after:
                report.interrupted = Interrupted("stopped", signal_number=2)
                report.ended_early = True
                break
            noise = np.random.default_rng([len(run.condition), run.seed]).normal(0, 0.002)
            self.store[run.condition, run.seed] = self.make_run(
                run.condition, run.seed, minute=len(self.store) + 1,
                rates=tuple(run.settings.model.rates.values()),
                test_accuracy=0.9 + EFFECTS[run.condition] + noise,
                spec_fingerprint=run.spec_fingerprint, design=Design.from_json(run.origin.design),
            )  # fmt: skip
            self.num_trained += 1
        return report


@pytest.fixture
def planned(tmp_path: Path) -> list[PlannedRun]:
    (tmp_path / "s.yaml").write_text(SPEC)
    return plan_runs(load_spec(tmp_path / "s.yaml"))


def run(trainer: Trainer, planned: Sequence[PlannedRun]) -> tuple[Report, list[str]]:
    lines: list[str] = []
    report = execute_sequentially(
        planned, trainer.execute, lambda: list(trainer.store.values()), lines.append
    )
    return report, lines


def seeds(trainer: Trainer, condition: str) -> list[int]:
    return sorted(seed for name, seed in trainer.store if name == condition)


def test_a_decided_condition_is_trained_no_further(make_run: MakeRun, planned: list[PlannedRun]) -> None:
    trainer = Trainer(make_run)
    _, lines = run(trainer, planned)
    assert seeds(trainer, "far") == list(range(4))
    assert len(seeds(trainer, "near")) > 4
    assert seeds(trainer, "baseline") == seeds(trainer, "near")
    assert lines[0] == "Look at 4 seeds (of at most 12):"
    assert any("far is worse than baseline" in line for line in lines)
    assert sum(line.startswith("Look at") for line in lines) == (len(seeds(trainer, "near")) - 4) // 2 + 1


@pytest.mark.parametrize("stop_after", [5, 12, 14, 17])
def test_an_interrupted_design_continues_to_the_same_runs(
    make_run: MakeRun, planned: list[PlannedRun], stop_after: int
) -> None:
    whole = Trainer(make_run)
    run(whole, planned)
    trainer = Trainer(make_run, stop_after)
    report, _ = run(trainer, planned)
    assert report.interrupted is not None
    trainer.stop_after = None
    report, _ = run(trainer, planned)
    assert report.interrupted is None
    assert set(trainer.store) == set(whole.store)


def test_a_look_leaves_out_runs_of_another_spec(make_run: MakeRun, planned: list[PlannedRun]) -> None:
    trainer = Trainer(make_run)
    trainer.execute([one for one in planned if one.seed < 4])
    trial = [make_run("far", seed, minute=500 + seed, test_accuracy=0.9, spec_fingerprint="trial")
             for seed in range(4)]  # fmt: skip
    look = take_look([*trainer.store.values(), *trial], planned)
    assert (look.reference, look.words["far"]) == ("baseline", VerdictWord.WORSE)


def test_a_look_is_adjusted_for_all_conditions_of_the_experiment(
    make_run: MakeRun, planned: list[PlannedRun]
) -> None:
    trainer = Trainer(make_run)
    trainer.execute([one for one in planned if one.seed < 4])
    own = list(trainer.store.values())
    earlier = [
        replace(
            run, condition=f"earlier{number}", run_id=f"{number}-{run.run_id}", spec_fingerprint="another"
        )
        for number in range(30)
        for run in own
        if run.condition == "near"
    ]
    look = take_look([*own, *earlier], planned)
    assert set(look.words) == {"far", "near"}
    shown = compare_runs([*own, *earlier])
    assert look.words["far"] is shown.verdict("far", shown.primary).word
    assert shown.difference("far", shown.primary).num_tests == 32


@pytest.mark.parametrize("broken", [("far",), ("baseline", "far", "near")])
def test_a_condition_whose_runs_fail_is_not_taken_for_decided(
    make_run: MakeRun, planned: list[PlannedRun], broken: tuple[str, ...]
) -> None:
    trainer = Trainer(make_run)

    def execute(batch: Sequence[PlannedRun]) -> Report:
        report = trainer.execute([one for one in batch if one.condition not in broken])
        report.failures += [Failure(one.name, "diverged") for one in batch if one.condition in broken]
        return report

    report = execute_sequentially(planned, execute, lambda: list(trainer.store.values()), print)
    failed = [failure.name for failure in report.failures if failure.name.startswith("far")]
    assert len(failed) == (12 if broken == ("far",) else 4), "others go on to the end, or nothing can"


def test_a_fixed_design_trains_all_at_once(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SPEC)
    fixed = plan_runs(load_spec(tmp_path / "s.yaml", ["seeds=3"]))
    trainer = Trainer(make_run)
    _, lines = run(trainer, fixed)
    assert (trainer.num_trained, lines) == (9, [])


def test_a_sequential_design_needs_two_conditions(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("name: s\nseeds: {first: 4, most: 12}\n")
    with pytest.raises(SpecError, match="at least two conditions"):
        load_spec(tmp_path / "s.yaml")


@pytest.mark.slow
def test_the_command_stops_when_the_verdict_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(
        "name: s\nexperiment: s\nmodel: {filters: [2, 2], hidden_units: 4}\n"
        "training: {epochs: 1, batch_size: 100}\ndata: {num_train: 100, num_test: 100}\n"
        "margins: {test_accuracy: 20.0}\nconditions: {baseline: {}, dropout: {model: {dropout: 0.5}}}\n"
    )
    monkeypatch.setattr("sys.argv", ["dropout-lab", "run", "s.yaml", "--seeds", "2..4", "--format", "json"])
    assert command_line._main() == 0
    out, err = capsys.readouterr()
    assert sorted(f"{one['condition']}-seed{one['seed']}" for one in json.loads(out)) == [
        "baseline-seed0", "baseline-seed1", "dropout-seed0", "dropout-seed1",
    ]  # fmt: skip
    assert "Look at 2 seeds (of at most 4):" in err
    assert "dropout is equivalent to baseline in test accuracy" in err
    assert "Decided; 2 seeds per condition not needed." in err
    monkeypatch.setattr("sys.argv", ["dropout-lab", "compare", "--format", "json"])
    assert command_line._main() == 0
    (standing,) = json.loads(capsys.readouterr().out)["standings"]
    assert (standing["stage"], standing["num_seeds"], standing["looks"]) == ("sequential", 2, [2])
    assert {run.requested for run in read_runs("s")} == {None}
    monkeypatch.setattr("sys.argv", ["dropout-lab", "run", "s.yaml", "--seeds", "2..4"])
    assert command_line._main() == 0
    assert None not in {run.requested for run in read_runs("s")}
