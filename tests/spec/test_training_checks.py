"""What cannot be trained as the spec asks is refused, at the place that asks for it."""

from typing import Any

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec, condition_settings, flatten

CASES = [
    ({"early_stopping": {}}, "early_stopping", "set data.validation to a fraction, such as 0.1"),
    ({"augmentation": {}}, "augmentation", "changes nothing (set at least one of flip, translation"),
    ({"augmentation": {"flip": "horizontl"}}, "augmentation.flip", "did you mean 'horizontal'?"),
    ({"augmentation": {"rotation": 2}}, "augmentation.rotation", "allowed: a number from 0 to 0.5"),
    ({"momentum": 0.9}, "momentum", "does not apply to the optimizer adam (allowed: with sgd)"),
    ({"nesterov": True, "optimizer": "sgd"}, "nesterov", "set training.momentum, such as 0.9"),
    ({"weight_decay": -1}, "weight_decay", "allowed: a number from 0 to 100"),
    ({"weight_deca": 1}, "weight_deca", "did you mean 'weight_decay'?"),
    ({"max_norm": 0}, "max_norm", "allowed: a number above 0"),
    ({"label_smoothing": 1}, "label_smoothing", "allowed: a number at least 0 and below 1"),
    ({"learning_rate_schedule": "cosin"}, "learning_rate_schedule.shape", "did you mean 'cosine'?"),
    ({"learning_rate_schedule": {}}, "learning_rate_schedule", "set shape to cosine or step, or warmup_epo"),
    ({"learning_rate_schedule": {"shape": "step"}}, "learning_rate_schedule", "needs milestones (such as"),
    (
        {"learning_rate_schedule": {"shape": "cosine", "warmup_epochs": 10}},
        "learning_rate_schedule.warmup_epochs",
        "invalid value: 10 (allowed: below training.epochs, 10)",
    ),
    *(
        (
            {"learning_rate_schedule": {"shape": "step", "milestones": milestones}},
            "learning_rate_schedule.milestones",
            "(allowed: rising epochs below training.epochs, 10)",
        )
        for milestones in ([5, 3], [3, 3], [10])
    ),
    (
        {"learning_rate_schedule": {"shape": "cosine", "milestones": [3]}},
        "learning_rate_schedule.milestones",
        "does not apply to the shape cosine (allowed: with step)",
    ),
]


@pytest.mark.parametrize(("training", "place", "problem"), CASES)
def test_a_problem_is_told_with_its_place(training: dict[str, Any], place: str, problem: str) -> None:
    with pytest.raises(SpecError) as shared:
        Spec(name="s", training=training, conditions={"a": {}, "b": {}})
    assert f"[training.{place}] " in shared.value.problems[0]
    assert problem in shared.value.problems[0]
    with pytest.raises(SpecError) as own:
        Spec(name="s", conditions={"a": {}, "b": {"training": training}})
    assert list(own.value.problems) == [
        one.replace("[training.", "[conditions.b.training.") for one in shared.value.problems
    ]


def test_a_shared_field_may_apply_to_one_condition_alone() -> None:
    Spec(
        name="s",
        training={"momentum": 0.9, "learning_rate_schedule": {"shape": "step", "milestones": [5]}},
        conditions={
            "sgd": {"training": {"optimizer": "sgd"}},
            "cosine": {"training": {"learning_rate_schedule": "cosine"}},
        },
    )


def test_a_condition_switches_off_what_is_shared() -> None:
    spec = Spec(
        name="s",
        data={"validation": 0.1},
        training={"early_stopping": {"patience": 2}, "weight_decay": 0.1},
        conditions={"a": {}, "b": {"training": {"early_stopping": None, "weight_decay": 0}}},
    )
    on, off = (flatten(settings) for settings in condition_settings(spec).values())
    assert {key: on[key] for key in on if key not in off} == {
        "training.early_stopping.patience": "2",
        "training.early_stopping.metric": "val_loss",
        "training.weight_decay": "0.1",
    }


def test_early_stopping_is_refused_in_the_condition_that_validates_on_the_test_set() -> None:
    with pytest.raises(SpecError, match=r"\[training.early_stopping\] needs a validation split"):
        Spec(
            name="s",
            data={"validation": 0.1},
            training={"early_stopping": {}},
            conditions={"a": {}, "b": {"data": {"validation": "test"}}},
        )
