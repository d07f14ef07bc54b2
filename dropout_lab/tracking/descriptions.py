"""Descriptions in the MLflow UI: that of the spec, and below it the results."""

import re
from collections.abc import Mapping, Sequence

from dropout_lab.evaluation.metrics import format_value, metric_info
from dropout_lab.tracking import links, schema

_RULE = "\n\n---\n"
_SHOWN = ("test_accuracy", "test_loss", "generalization_gap")
_VIEW = re.compile(rf"\[{schema.VIEW_NAME}\]\([^)]*\)")  # also that of another store
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


def of_experiment(tags: Mapping[str, str], experiment_id: str, verdicts: Sequence[str] | None) -> str:
    """Return the description, Markdown, of an experiment with these tags.

    The plain table of runs folds them under their study, so that the first line links to the view of all.

    Args:
        tags: Tags of the experiment; what its description states is left as it is.
        experiment_id: Its ID.
        verdicts: The latest verdicts. [default: those in its description]
    """
    # Relative, so that it is right on any server; MLflow shows the first line without a click.
    view = f"[{schema.VIEW_NAME}]({links.view_address('', experiment_id).lstrip('/')})"
    question, rule, before = tags.get(schema.DESCRIPTION, "").partition(_RULE)
    question = f"{_VIEW.sub('', question).strip()} {view}".strip()
    if verdicts is None:
        latest = rule + before
    else:
        listed = "\n".join(f"- {one}" for one in verdicts)
        latest = f"{_RULE}Latest verdicts\n\n{listed}" if verdicts else ""
    described = question + latest
    return described if len(described) <= schema.MAX_TAG_LENGTH else question


def stated(tags: Mapping[str, str]) -> str:
    """Return the description in the spec of a run with these tags."""
    return tags.get(schema.DESCRIPTION, "").partition(_RULE)[0]
