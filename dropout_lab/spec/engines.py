"""Which settings the fast engine supports, and one engine for the conditions that are compared."""

from collections.abc import Mapping, Sequence

from dropout_lab.spec.dataset import DataSpec
from dropout_lab.spec.kinds import SiteDropout
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.settings import Settings
from dropout_lab.spec.training import TrainingSpec

FAST_NETWORK = "published"
SITES = ("conv1", "conv2", "dense")
SITE_FIELDS = {"rate", "schedule"}
MODEL_FIELDS = frozenset({"network", "dropout", "dropout_position", "filters", "hidden_units"})
TRAINING_FIELDS = frozenset(
    {
        *("epochs", "batch_size", "optimizer", "learning_rate", "engine", "precision"),
        *("learning_rate_schedule", "early_stopping"),
    }
)
"""Fields that the fast engine supports, with all or some of their values. It supports others at their default
alone."""
FAST_DATASETS = ("fashion_mnist", "mnist")
"""Named datasets that the fast engine supports."""
INPUT_FIELDS = ("dataset", "arguments", "image_size", "color_mode", "scale")
"""Fields that decide whether it supports the inputs."""


def unsupported_setting(model: ModelSpec, training: TrainingSpec) -> str | None:
    """Return what the fast engine does not support of the published network's settings, or None.

    Optimizer and precision are not looked at: whether it supports these depends on the machine, too.
    """
    for site, setting in model.resolved().dropout.items():
        if site not in SITES:
            return f"the fast engine does not support dropout of the {site} (model.dropout.{site})"
        fields = setting.model_dump(exclude=SITE_FIELDS) if isinstance(setting, SiteDropout) else {}
        for field, value in fields.items():
            return f"the fast engine supports standard dropout only (model.dropout.{site}.{field}: {value})"
    for part, name, supported in ((model, "model", MODEL_FIELDS), (training, "training", TRAINING_FIELDS)):
        for field in sorted(part.content().keys() - supported):
            if getattr(part, field) != type(part).model_fields[field].default:
                return f"the fast engine does not support {name}.{field}"
    return None


def supports_inputs(data: DataSpec) -> bool:
    """Return whether the fast engine supports the inputs, as far as that is known before they are read."""
    are_alike = data.form == "folder" and (data.image_size, data.color_mode) == ((28, 28), "grayscale")
    return (are_alike or data.dataset in FAST_DATASETS) and data.scale in ("auto", "unit")


def share_engines(conditions: Mapping[str, Settings]) -> dict[str, Settings]:
    """Return conditions whose engine is ``auto`` with stock layers, if others like them need these.

    The engines draw other masks, so runs of two engines at one seed are not matched. Alike are conditions
    with the same optimizer, precision and device; networks that only stock layers train need no choice.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, settings in conditions.items():
        if settings.model.network == FAST_NETWORK:
            training = settings.training
            key = (training.optimizer, training.precision, settings.device)
            groups.setdefault(key, []).append(name)
    shared = dict(conditions)
    for names in groups.values():
        if _needs_stock([conditions[name] for name in names]):
            for name in names:
                if conditions[name].training.engine == "auto":
                    training = conditions[name].training.model_copy(update={"engine": "stock"})
                    shared[name] = conditions[name].model_copy(update={"training": training})
    return shared


def _needs_stock(group: Sequence[Settings]) -> bool:
    """Return whether the fast engine does not train all of `group`, or would not be chosen for all."""
    if any(unsupported_setting(one.model, one.training) for one in group):
        return True
    inputs = {tuple(getattr(one.data, field) for field in INPUT_FIELDS) for one in group}
    return len(inputs) > 1 and not all(supports_inputs(one.data) for one in group)
