"""What may confound a comparison: the facts of a run, and how much each of them matters."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from dropout_lab.comparison.findings import FindingKind
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord

NOT_LOGGED = "(not logged)"

FINGERPRINTS: Mapping[str, Sequence[str]] = {
    "initial_weights": ("model.filters", "model.hidden_units"),
    "batch_order": ("training.batch_size", "training.epochs", "data.*", "data_digest"),
}
"""What must be equal at a shared seed, and what may legitimately change it: then that is to be judged."""

SEED_OWN = (*FINGERPRINTS, "final_weights")
"""What differs from seed to seed within a condition."""

WHY = {
    "initial_weights": "At a shared seed the runs start from different weights: they are no matched twins.",
    "batch_order": "At a shared seed the runs see other batches: they are no matched twins.",
    "data_digest": "The runs were trained or tested on different images.",
    "data.validation": "The runs trained on different images, or only some had the test images to choose by.",
    "data.folder": "Whether the images are the same is judged by data_digest.",
    "git_commit": "The code may differ.",
    "git_dirty": "With uncommitted changes the commit does not say which code ran.",
}

_MAY_MATTER = ("data.folder", "device_name", "git_commit", "git_dirty", "versions")
_MATTERS_STILL = ("versions.tensorflow", "versions.keras", "versions.dropout_lab")
_NO_EFFECT = ("versions.mlflow",)

Facts = Mapping[str, str]
"""One run's facts by key."""


def run_facts(run: RunRecord) -> Facts:
    """Return everything of a run that may confound, by key; what was asked for gives way to what was done."""
    # Devices are called /CPU:0 or /device:CPU:0; which one of several alike does not matter.
    device_kind = run.device.lstrip("/").removeprefix("device:").split(":")[0].upper()
    known = {
        "device": device_kind or run.spec.get("device", ""),
        "training.engine": run.engine or run.spec.get("training.engine", ""),
        "data_digest": run.data_digest,
        "device_name": run.device_name,
        "git_commit": run.git_commit,
        "git_dirty": str(run.git_dirty).lower() if run.git_commit else "",
        "initial_weights": run.initial_weights,
        "batch_order": run.batch_order,
        "final_weights": run.final_weights,
        **{f"versions.{package}": version for package, version in run.versions.items()},
    }
    facts = {**run.spec, **{key: value or NOT_LOGGED for key, value in known.items()}}
    return {key: value for key, value in facts.items() if not matches(key, _NO_EFFECT)}


def kind_of(key: str) -> FindingKind:
    """Return whether a difference in `key` forbids a comparison or is only worth telling."""
    only_may = matches(key, _MAY_MATTER) and not matches(key, _MATTERS_STILL)
    return FindingKind.CAUTION if only_may else FindingKind.REFUSED


def matches(key: str, patterns: Sequence[str]) -> bool:
    """Return whether `key` is one of `patterns`, lies below one, or fits one that has ``*`` in it."""
    return any(
        key == pattern or key.startswith(f"{pattern}.") or fnmatchcase(key, pattern) for pattern in patterns
    )


def check_patterns(option: str, patterns: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse a pattern that fits no key of any run: it would silently do nothing.

    Raises:
        UsageError: With the nearest key.
    """
    for pattern in patterns:
        if not any(matches(key, (pattern,)) for key in keys):
            raise UsageError(
                f"{option} {pattern}: no run has such a key{did_you_mean(pattern, keys)}",
                hint=f"The keys are: {', '.join(keys)}.",
            )
