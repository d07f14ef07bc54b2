"""Descriptions of runs in the MLflow UI: that of the spec, and below it the results in one line."""

from collections.abc import Mapping

from dropout_lab.evaluation.metrics import format_value, metric_info
from dropout_lab.tracking import schema

_RULE = "\n\n---\n"
_SHOWN = ("test_accuracy", "test_loss", "generalization_gap")
_WHEN = (
    "`accuracy` and `loss` were measured during the last epoch, with dropout on; `train_*` and `test_*` "
    "after training, with dropout off."
)


def with_results(tags: Mapping[str, str], metrics: Mapping[str, float]) -> str:
    """Return the description, Markdown, of a run with these tags and final metrics."""
    shown = ", ".join(
        f"{metric_info(name).label} {format_value(name, metrics[name])}" for name in _SHOWN if name in metrics
    )
    results = f"**{tags.get(schema.CONDITION, '')}**, seed {tags.get(schema.SEED, '')}: {shown}."
    return f"{stated(tags)}{_RULE}{results}\n\n{_WHEN}"


def stated(tags: Mapping[str, str]) -> str:
    """Return the description in the spec of a run with these tags."""
    return tags.get(schema.DESCRIPTION, "").partition(_RULE)[0]
