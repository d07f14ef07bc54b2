"""The methods paragraph of a comparison, for a paper."""

from collections import defaultdict
from collections.abc import Iterable

from dropout_lab import __version__
from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.standing import Stage
from dropout_lab.evaluation.metrics import format_count, format_difference, format_percent, metric_info

_SETTINGS = {
    "model.network": "network",
    "data.dataset": "dataset",
    "data.num_train": "training examples",
    "training.epochs": "epochs",
    "training.optimizer": "optimizer",
    "training.learning_rate": "learning rate",
    "training.batch_size": "batch size",
    "training.learning_rate_schedule.shape": "learning rate schedule",
    "training.momentum": "momentum",
    "training.weight_decay": "weight decay",
    "training.l2": "L2 penalty",
    "training.max_norm": "max-norm",
    "training.label_smoothing": "label smoothing",
    "training.early_stopping.metric": "early stopping by",
}
"""Settings that are named if all runs share them."""


def methods_paragraph(comparison: Comparison) -> str:
    """Return what was trained, how it was tested and corrected, and with which versions."""
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterable[str]:
    spec = _spec(comparison)
    names = ", ".join(comparison.conditions)
    numbers = [len(comparison.summary(name, comparison.primary).values) for name in comparison.conditions]
    span = str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"
    if any("training.epochs" in run.spec for run in comparison.runs):
        settings = ", ".join(f"{label} {spec[key]}" for key, label in _SETTINGS.items() if spec.get(key))
        yield (
            f"We trained {format_count(len(numbers), 'condition')} ({names}) with {span} "
            f"random seeds per condition{f' ({settings})' if settings else ''}."
        )
    else:
        yield f"We compared {format_count(len(numbers), 'condition')} ({names}), {span} runs per condition."
    if shared := _shared_by_seed(comparison):
        listed = ", ".join([*shared[:-2], " and ".join(shared[-2:])])
        yield f"Runs with the same seed share {listed}."
    if spec.get("data.resample") == "True":
        yield (
            "Training and validation images were drawn separately for each seed, so intervals cover the "
            "variation between training sets as well as between seeds, but not between test sets."
        )
    else:
        yield "Intervals cover the variation between seeds, but not between datasets."
    tests = ", ".join(dict.fromkeys(one.method for one in comparison.differences))
    yield (
        f"Differences from {comparison.reference} were tested in {metric_info(comparison.primary).label} "
        f"(primary; {tests}) with {format_percent(comparison.confidence)} confidence intervals."
    )
    margins = {one.margin for one in comparison.differences if one.metric == comparison.primary} - {None}
    for margin in margins:
        shown = format_difference(comparison.primary, margin or 0.0, sign=False)
        yield f"Equivalence means a difference within ±{shown} (two one-sided tests)."
    yield from _designs(comparison)
    primary = [one.num_tests for one in comparison.differences if one.metric == comparison.primary]
    secondary = [one.num_tests for one in comparison.differences if one.metric != comparison.primary]
    if max(primary, default=1) > 1:
        yield f"p-values of the primary metric are Holm-adjusted for {primary[0]} comparisons."
    if secondary:
        labels = ", ".join(metric_info(m).label for m in comparison.metrics if m != comparison.primary)
        yield (
            f"Secondary metrics ({labels}) are Holm-adjusted for {secondary[0]} comparisons over metrics and "
            "conditions together."
        )
    versions = next((run.versions for run in comparison.runs if any(run.versions.values())), {})
    listed = ", ".join(f"{name} {versions[name]}" for name in ("tensorflow", "keras") if name in versions)
    yield f"Computed with dropout_lab {__version__}{f' ({listed})' if listed else ''}."


def _shared_by_seed(comparison: Comparison) -> list[str]:
    """Return what all runs of any one seed have in common, by the fingerprints that they logged."""
    labels = {"initial_weights": "initial weights", "batch_order": "batch order", "data_digest": "data"}
    by_seed = defaultdict(list)
    for run in comparison.runs:
        by_seed[run.seed].append(run)
    groups = [group for group in by_seed.values() if len(group) > 1]
    return [
        label
        for name, label in labels.items()
        if groups and all(len({getattr(run, name) or run.run_id for run in group}) == 1 for group in groups)
    ]


def _designs(comparison: Comparison) -> Iterable[str]:
    stages = {one.stage: one for one in comparison.standings}
    if Stage.PLANNED in stages and stages[Stage.PLANNED].design is not None:
        yield "The number of seeds was fixed before training."
    if Stage.SEQUENTIAL in stages:
        design = stages[Stage.SEQUENTIAL].design
        assert design is not None
        yield (
            f"Seeds were added from {design.first} to at most {design.most} until the primary metric was "
            "decided; p-values and intervals hold over all looks, and its estimate is adjusted for stopping."
        )
    if Stage.EXTENDED in stages:
        looks = ", ".join(map(str, stages[Stage.EXTENDED].looks))
        yield f"Seeds were added after the planned number; tests were possible with {looks} seeds."
    if Stage.INTERIM in stages:
        yield "Results are interim: fewer seeds than planned are finished."


def _spec(comparison: Comparison) -> dict[str, str]:
    """Return the settings that all runs share."""
    specs = [run.spec for run in comparison.runs]
    shared = specs[0].items() if specs else ()
    return {key: value for key, value in shared if all(spec.get(key) == value for spec in specs)}
