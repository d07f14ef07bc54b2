"""Every field of a spec that decides a run's network or training is decided for the fast engine."""

import pytest

from dropout_lab.spec import DataSpec, ModelSpec, TrainingSpec
from dropout_lab.spec.engines import INPUT_FIELDS, MODEL_FIELDS, SITE_FIELDS, TRAINING_FIELDS
from dropout_lab.spec.kinds import SiteDropout

NOT_SUPPORTED = {
    ModelSpec: {"activation", "batch_normalization"},
    SiteDropout: {"kind", "block_size", "temperature", "length_scale"},
    TrainingSpec: {
        *("momentum", "nesterov", "weight_decay", "l2", "max_norm"),
        *("label_smoothing", "augmentation"),
    },
}
OF_OTHER_NETWORKS = {ModelSpec: {"arguments", "outputs", "hidden", "blocks"}}
"""Fields that do not apply to the network that the fast engine trains."""

SUPPORTED = {ModelSpec: MODEL_FIELDS, SiteDropout: SITE_FIELDS, TrainingSpec: TRAINING_FIELDS}


@pytest.mark.parametrize("model", SUPPORTED)
def test_every_field_is_decided(model: type) -> None:
    supported, refused = set(SUPPORTED[model]), NOT_SUPPORTED[model] | OF_OTHER_NETWORKS.get(model, set())
    undecided = set(model.model_fields) - supported - refused  # type: ignore[attr-defined]
    assert not undecided, (
        f"{model.__name__}: {', '.join(sorted(undecided))}: add to the fields in dropout_lab/spec/engines.py"
        " what the fast engine trains with, and to NOT_SUPPORTED here what it does not"
    )
    assert not supported & refused


def test_every_field_of_the_data_that_may_decide_is_known() -> None:
    of_examples = {"folder", "test_split", "test_seed", "validation", "split_seed", "num_train", "num_test"}
    assert set(DataSpec.model_fields) == {*INPUT_FIELDS, *of_examples, "resample"}
