"""What the conditions of a spec differ in is what their comparison is about; all else is still refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dropout_lab.comparison.confounds import UNUSED
from dropout_lab.comparison.findings import Finding, FindingKind
from dropout_lab.comparison.guard import check_confounds
from dropout_lab.comparison.selection import select_runs
from dropout_lab.comparison.under_study import settings_under_study
from dropout_lab.design import Design
from dropout_lab.records import RunRecord
from dropout_lab.spec import DataSpec, ModelSpec, TrainingSpec
from dropout_lab.spec.base import LATER, Frozen

MakeRun = Callable[..., RunRecord]
SEEDS = range(3)
DECAY = {"training.weight_decay": "0.01"}
NO_DROPOUT = (0.0, 0.0, 0.0)


def condition(
    make_run: MakeRun, name: str, varying: tuple[str, ...] | None, **options: Any
) -> list[RunRecord]:
    design = None if varying is None else Design(first=3, most=3, varying=varying, confounded=varying)
    return [make_run(name, seed, design=design, **options) for seed in SEEDS]


def check(runs: list[RunRecord], **options: Any) -> tuple[Finding, ...]:
    return check_confounds(select_runs(runs), **options)


def decay_and_baseline(
    make_run: MakeRun, varying: tuple[str, ...] | None, **of_decay: str
) -> list[RunRecord]:
    return [
        *condition(make_run, "baseline", varying),
        *condition(make_run, "decay", varying, rates=NO_DROPOUT, spec={**DECAY, **of_decay}),
    ]


def test_what_the_spec_varies_is_compared(make_run: MakeRun) -> None:
    runs = decay_and_baseline(make_run, ("training.weight_decay",))
    assert settings_under_study(select_runs(runs)) == ("training.weight_decay",)
    assert check(runs) == ()


def test_what_differs_without_being_part_of_the_design_is_refused(make_run: MakeRun) -> None:
    runs = decay_and_baseline(make_run, ("training.weight_decay",), **{"training.epochs": "20"})
    (finding,) = check(runs)
    assert (finding.key, finding.kind) == ("training.epochs", FindingKind.REFUSED)
    assert finding.values == ("10", "20")
    (finding,) = check(decay_and_baseline(make_run, ("training.weight_decay",)), varying=["model.dropout"])[
        :1
    ]
    assert (finding.key, finding.kind) == ("training.weight_decay", FindingKind.REFUSED)
    assert finding.values == ("0.0", "0.01")


@pytest.mark.parametrize("varying", [None, ()])
def test_runs_without_a_stated_variation_are_about_dropout(
    make_run: MakeRun, varying: tuple[str, ...] | None
) -> None:
    runs = decay_and_baseline(make_run, varying)
    assert settings_under_study(select_runs(runs)) == ("model.dropout*",)
    assert {one.key for one in check(runs) if one.kind is FindingKind.REFUSED} == {"training.weight_decay"}


def test_specs_of_one_experiment_are_taken_together(make_run: MakeRun) -> None:
    runs = decay_and_baseline(make_run, ("training.weight_decay",))
    assert check([*runs, *condition(make_run, "dropout", ("model.dropout*",))]) == ()
    assert check([*runs, *condition(make_run, "dropout", None)]) == ()


def test_several_settings_at_once_are_pointed_out_if_they_never_differ_alone(make_run: MakeRun) -> None:
    varying = ("model.dropout*", "training.weight_decay", "training.early_stopping")
    stopping = {"training.early_stopping.patience": "3", "training.early_stopping.metric": "val_loss"}

    def runs_of(confounded: tuple[str, ...]) -> list[RunRecord]:
        runs = [
            *condition(make_run, "baseline", varying),
            *condition(make_run, "dropout", varying),
            *condition(make_run, "both", varying, rates=(0.5, 0.5, 0.5), spec=DECAY),
            *condition(make_run, "stopped", varying, rates=NO_DROPOUT, spec=stopping),
        ]
        design = Design(first=3, most=3, varying=varying, confounded=confounded)
        return [replace(run, design=design) for run in runs]

    assert check(runs_of(())) == check(runs_of(("training.early_stopping",))) == ()
    runs = runs_of(("training.weight_decay",))
    (finding,) = check(runs)
    assert (finding.key, finding.kind) == ("varying", FindingKind.CAUTION)
    assert finding.conditions == ("baseline", "both")
    assert "(model.dropout, training.weight_decay) differ between baseline and both" in finding.sentence
    assert check(runs, varying=varying) == ()


def test_the_fields_of_a_network_or_an_optimizer_are_one_setting(make_run: MakeRun) -> None:
    varying = ("model.network", "model.hidden", "training.optimizer", "training.momentum")
    sgd = {"training.optimizer": "sgd", "training.momentum": "0.9"}
    mlp = {"model.network": "mlp", "model.hidden": "32"}
    runs = [
        *condition(make_run, "baseline", varying),
        *condition(make_run, "sgd", varying, rates=NO_DROPOUT, spec=sgd),
        *condition(make_run, "mlp", varying, rates=NO_DROPOUT, spec=mlp, initial_weights="other"),
    ]
    assert [one.observation for one in check(runs) if one.key == "varying"] == []


def test_batch_normalization_explains_other_initial_weights(make_run: MakeRun) -> None:
    varying = ("model.batch_normalization",)
    runs = condition(make_run, "baseline", varying)
    runs += [
        make_run("bn", seed, rates=NO_DROPOUT, design=runs[0].design, initial_weights=f"other {seed}",
                 spec={"model.batch_normalization": "True"})
        for seed in SEEDS
    ]  # fmt: skip
    assert check(runs) == ()


def test_what_stands_for_no_use_is_the_default_of_the_spec() -> None:
    parts: dict[str, type[Frozen]] = {"model": ModelSpec, "training": TrainingSpec, "data": DataSpec}
    later = {
        f"{part}.{name}": str(field.default)
        for part, spec in parts.items()
        for name, field in spec.model_fields.items()
        if LATER in field.metadata and isinstance(field.default, int | float | str)
    }
    assert later == UNUSED


def test_what_has_no_number_for_no_use_is_not_set(make_run: MakeRun) -> None:
    runs = decay_and_baseline(make_run, ("training.weight_decay",), **{"training.max_norm": "3.0"})
    (finding,) = check(runs)
    assert (finding.key, finding.values) == ("training.max_norm", ("(not set)", "3.0"))
