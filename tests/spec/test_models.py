import pytest

from dropout_lab.spec import (
    ClaimSpec,
    DataSpec,
    ModelSpec,
    Settings,
    Spec,
    TrainingSpec,
)

MODELS = (Spec, Settings, ModelSpec, TrainingSpec, DataSpec, ClaimSpec)


@pytest.mark.parametrize("model", MODELS)
def test_every_field_has_a_description(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_changed_and_no_key_added(model):
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["strict"]
