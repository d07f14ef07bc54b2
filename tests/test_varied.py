"""Which settings conditions differ in, and which of them never alone."""

from dropout_lab.varied import changed_settings, confounded_settings, varying_settings

BASELINE = {"model.dropout.a": "0", "model.dropout.b": "0", "training.epochs": "5"}
DROPOUT = {**BASELINE, "model.dropout.a": "0.5", "model.dropout.b": "0.5"}
STOPPED = {**BASELINE, "training.early_stopping.patience": "3", "training.early_stopping.metric": "val_loss"}


def test_settings_that_conditions_differ_in_are_named_once() -> None:
    pattern = {"model.dropout.*": "0.5", "training.epochs": "5"}
    assert varying_settings([BASELINE, DROPOUT, STOPPED, pattern]) == (
        "model.dropout*",
        "training.early_stopping",
    )
    assert varying_settings([BASELINE]) == varying_settings([]) == ()


def test_settings_that_always_change_together_are_confounded() -> None:
    longer = {**DROPOUT, "training.epochs": "20"}
    assert confounded_settings([BASELINE, longer]) == ("model.dropout*", "training.epochs")
    assert confounded_settings([BASELINE, DROPOUT, longer]) == ()
    assert confounded_settings([BASELINE, STOPPED, longer]) == ("model.dropout*", "training.epochs")
    assert confounded_settings([BASELINE, DROPOUT, STOPPED]) == ()
    assert confounded_settings([BASELINE]) == ()


def test_what_follows_from_a_choice_is_no_setting_of_its_own() -> None:
    assert changed_settings(["model.network", "model.hidden", "training.epochs"]) == (
        "model.network",
        "training.epochs",
    )
    assert changed_settings(["model.hidden", "training.momentum", "training.optimizer"]) == (
        "model.hidden",
        "training.optimizer",
    )
    assert changed_settings(["model.network", "model.dropout.a"]) == ("model.network", "model.dropout*")
