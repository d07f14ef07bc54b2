"""The YAML spec: read, overridden, checked, and resolved into the settings of each condition."""

from dropout_lab.spec.dataset import DataSpec
from dropout_lab.spec.loading import json_schema, load_spec, override_spec, seeds_override
from dropout_lab.spec.merging import condition_settings
from dropout_lab.spec.models import ClaimSpec, SequentialSeeds, Spec
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.settings import Settings, flatten
from dropout_lab.spec.training import TrainingSpec

__all__ = [
    "ClaimSpec",
    "DataSpec",
    "ModelSpec",
    "SequentialSeeds",
    "Settings",
    "Spec",
    "TrainingSpec",
    "condition_settings",
    "flatten",
    "json_schema",
    "load_spec",
    "override_spec",
    "seeds_override",
]
