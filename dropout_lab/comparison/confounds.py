"""Possible confounders of a comparison: the facts of a run, and how much each matters."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from dropout_lab.comparison.findings import FindingKind
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord, device_kind

NOT_LOGGED = "(not logged)"
EVALUATION = "evaluation"
"""Beginning of the settings that finished runs were evaluated with."""

FINGERPRINTS: Mapping[str, Sequence[str]] = {
    "initial_weights": (
        "model.network", "model.code", "model.arguments", "model.filters", "model.hidden*",
        "model.batch_normalization", "model.blocks", "model.activation",
        "data.dataset", "data.arguments", "data.image_size", "data.color_mode",
    ),
    "batch_order": ("training.batch_size", "training.epochs", "data.*", "data_digest"),
}  # fmt: skip
"""Facts that must be equal at a shared seed, and settings that may change them."""

EXPLAINED_BY: Mapping[str, Sequence[str]] = {
    **FINGERPRINTS,
    "data_digest": (
        "data.dataset", "data.arguments", "data.image_size", "data.color_mode", "data.test_split",
        "data.test_seed", "data.scale", "data.validation", "data.split_seed", "data.num_train",
        "data.num_test", "data.resample",
    ),
}  # fmt: skip
"""Facts that follow from settings: a difference is no finding of its own if one of these differs, too."""

SEED_OWN = (*FINGERPRINTS, "final_weights")
"""Facts that differ between the seeds of a condition."""

ADDED = {
    "data.dataset": "fashion_mnist",
    "data.resample": "False",
    "data.scale": "auto",
    "model.network": "published",
}
"""Settings that runs of version 0.1 did not log, since they had no other values. At these values they do not
enter fingerprints either."""

UNUSED = {
    "model.activation": "relu",
    "model.batch_normalization": "False",
    "model.blocks": "2",
    "training.label_smoothing": "0.0",
    "training.l2": "0.0",
    "training.momentum": "0.0",
    "training.nesterov": "False",
    "training.weight_decay": "0.0",
}
"""Settings that runs log only at another value than the default, which is given here."""

_NUM_SAMPLES = "The predictions are means over different numbers of samples."
_SAME_RESULT = "The result is the same up to rounding errors, which can grow during training."

WHY = {
    "initial_weights": "Runs with the same seed start from different weights, so they are not matched.",
    "batch_order": "Runs with the same seed see different batches, so they are not matched.",
    "data_digest": "The runs were trained or tested on different data.",
    "data.validation": "The runs were trained on different examples, or only some used the test set for "
    "validation.",
    "data.code": "data_digest shows whether the data are the same.",
    "data.folder": "data_digest shows whether the data are the same.",
    "code": "The code that trains differs.",
    "git_commit": "The code may differ.",
    "git_dirty": "With uncommitted changes the commit does not identify the code.",
    "instruction_set": _SAME_RESULT,
    "onednn": _SAME_RESULT,
    "num_threads": _SAME_RESULT,
    f"{EVALUATION}.monte_carlo.mc_samples": _NUM_SAMPLES,
    f"{EVALUATION}.out_of_distribution.mc_samples": _NUM_SAMPLES,
}

_MAY_MATTER = (
    "data.code", "data.folder", "device_name", "git_commit", "git_dirty", "instruction_set", "num_threads",
    "onednn", "versions",
)  # fmt: skip
_MATTERS_STILL = ("versions.tensorflow", "versions.keras", "versions.dropout_lab")
_NO_EFFECT = ("versions.mlflow",)

Facts = Mapping[str, str]
"""One run's facts by key."""


def run_facts(run: RunRecord) -> Facts:
    """Return the facts of a run that may confound, by key; what was used replaces what was asked for."""
    known = {
        "device": device_kind(run.device) or run.spec.get("device", ""),
        "training.engine": run.engine or run.spec.get("training.engine", ""),
        "data_digest": run.data_digest,
        "device_name": run.device_name,
        "git_commit": run.git_commit,
        "git_dirty": changes_since_commit(run),
        "initial_weights": run.initial_weights,
        "batch_order": run.batch_order,
        "final_weights": run.final_weights,
        **{f"versions.{package}": version for package, version in run.versions.items()},
    }
    # Of runs that dropout_lab did not make only params are known. Runs of version 0.1 did not log the rest.
    later = {
        "code": run.code,
        "instruction_set": run.instruction_set,
        "onednn": run.onednn,
        "num_threads": run.num_threads,
    }
    facts = {
        **(ADDED if run.versions else {}),
        **run.spec,
        **{key: value or NOT_LOGGED for key, value in known.items() if value or run.versions},
        **{key: value for key, value in later.items() if value},
    }
    return {key: value for key, value in facts.items() if not matches(key, _NO_EFFECT)}


def changes_since_commit(run: RunRecord) -> str:
    """Return ``true``, ``false`` or ``unknown``; empty without a commit."""
    is_dirty = "unknown" if run.git_dirty is None else str(run.git_dirty).lower()
    return is_dirty if run.git_commit else ""


def kind_of(key: str) -> FindingKind:
    """Return whether a difference in `key` forbids a comparison or is only a caution."""
    only_may = matches(key, _MAY_MATTER) and not matches(key, _MATTERS_STILL)
    return FindingKind.CAUTION if only_may else FindingKind.REFUSED


def remedy(key: str) -> str:
    """Return what makes runs equal in `key`: new training, or only a new evaluation."""
    if not matches(key, (EVALUATION,)):
        return "Retrain with equal settings"
    option = key.rpartition(".")[2].replace("_", "-")
    return f"Evaluate with equal settings (`dropout-lab evaluate EXPERIMENT --{option} N`)"


def matches(key: str, patterns: Sequence[str]) -> bool:
    """Return whether `key` is one of `patterns`, lies below one, or matches one with ``*``."""
    return any(
        key == pattern or key.startswith(f"{pattern}.") or fnmatchcase(key, pattern) for pattern in patterns
    )


def check_patterns(option: str, patterns: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse a pattern that matches no key of any run: it would silently do nothing.

    Raises:
        UsageError: With the nearest key.
    """
    for pattern in patterns:
        if not any(matches(key, (pattern,)) for key in keys):
            raise UsageError(
                f"{option} {pattern}: no run has this key{did_you_mean(pattern, keys)}",
                hint=f"Available keys: {', '.join(keys)}.",
            )
