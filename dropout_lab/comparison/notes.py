"""What a reader must know to read the results correctly, in sentences."""

from collections.abc import Iterable, Sequence

from dropout_lab.comparison.findings import Exclusion
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Difference
from dropout_lab.comparison.selection import Selection, format_seeds, paired_seeds
from dropout_lab.comparison.standing import Stage, Standing
from dropout_lab.design import Design
from dropout_lab.evaluation.metrics import format_count, format_percent, metric_info
from dropout_lab.evaluation.registry import Measured


def reading_notes(
    selection: Selection,
    differences: Sequence[Difference],
    exclusions: Sequence[Exclusion],
    standings: Sequence[Standing],
    *,
    num_family: int,
    question: Question,
    design: Design | None = None,
) -> Iterable[str]:
    """Yield the notes that a comparison needs.

    Args:
        selection: Included runs of the conditions shown.
        differences: Tested differences shown.
        exclusions: Excluded runs.
        standings: Where each condition shown stands in its design.
        num_family: Conditions compared with the reference, shown or not.
        question: What was asked.
        design: The design logged with the latest run.
    """
    if len(selection.conditions) == 1:
        yield f"{selection.reference} is the only condition with finished runs, so nothing is compared."
    is_ours = any(run.versions for run in selection.all_runs())
    if not question.guard:
        yield "Nothing is known of how these scores were made, so no settings were compared."
    elif not is_ours:
        yield (
            "These runs were not made by dropout_lab: their params were compared, but not their data, code "
            "and initial weights."
        )
    if design is not None:
        yield from _about_changes(question, design)
        yield from _about_earlier_designs(selection, design, differences)
    yield from _about_metrics(differences, is_ours)
    yield from _about_tests(selection, differences, num_family, standings)
    yield from _about_equivalence(differences)
    yield from _about_designs(standings, question.confidence, _is_undecided(differences))
    yield from _about_pairing(selection)
    yield from _about_few_seeds(differences, question.confidence)
    if any(run.spec.get("data.validation") == "test" for run in selection.all_runs()):
        yield (
            "The test set was used for validation. Results are from the last epoch; do not use them for "
            "model selection."
        )
    if any(exclusion.metric for exclusion in exclusions):
        yield "Runs without a finite value of a metric are excluded from that metric only."


def _about_changes(question: Question, design: Design) -> Iterable[str]:
    """Yield what the question changes of the design, which was stated before the runs."""
    if question.primary not in (None, design.primary):
        yield (
            f"{question.primary} was made the primary metric after the runs; the spec states "
            f"{design.primary}. Error rates hold for a metric chosen beforehand."
        )
    for metric, margin in question.margins.items():
        name = metric or question.primary or design.primary
        stated = design.margins.get(name, metric_info(name).margin)
        if stated != margin:
            yield (
                f"The equivalence margin of {name} was set to {margin:g} after the runs "
                f"(before: {_margin(stated)})."
            )


def _about_earlier_designs(
    selection: Selection, design: Design, differences: Sequence[Difference]
) -> Iterable[str]:
    """Yield what the latest design changes of those with which other runs were started."""
    earlier = [
        run.design
        for name in selection.conditions[1:]
        for run in selection.runs[name].values()
        if run.design is not None
    ]
    if primary := sorted({one.primary for one in earlier} - {design.primary}):
        yield (
            f"{design.primary} was made the primary metric after some of the runs; their spec stated "
            f"{' and '.join(primary)}. Error rates hold for a metric chosen beforehand."
        )
    for metric in dict.fromkeys(one.metric for one in differences):
        default = metric_info(metric).margin
        now = design.margins.get(metric, default)
        before = dict.fromkeys(one.margins.get(metric, default) for one in earlier)
        if others := [_margin(margin) for margin in before if margin != now]:
            yield (
                f"The equivalence margin of {metric} was set to {_margin(now)} after some of the runs "
                f"(before: {' and '.join(others)})."
            )


def _margin(margin: float | None) -> str:
    return "none" if margin is None else f"{margin:g}"


def _about_metrics(differences: Sequence[Difference], is_ours: bool) -> Iterable[str]:
    metrics = list(dict.fromkeys(difference.metric for difference in differences))
    noisy = [one for one in metrics if metric_info(one).measured is Measured.EPOCH_WITH_DROPOUT]
    if noisy and is_ours:
        yield (
            f"Warning: {' and '.join(noisy)} of the last training epoch "
            f"{'was' if len(noisy) == 1 else 'were'} measured with dropout on, so a difference is mostly "
            f"dropout noise. Compare {' and '.join(f'train_{metric}' for metric in noisy)} instead."
        )
    if any(metric_info(metric).is_gap for metric in metrics):
        yield "A gap is neither better nor worse if narrower: it also narrows when training accuracy falls."


def _about_tests(
    selection: Selection, differences: Sequence[Difference], num_family: int, standings: Sequence[Standing]
) -> Iterable[str]:
    sizes = {difference.metric: difference.num_tests for difference in differences}
    if not sizes or max(sizes.values()) == 1:
        return
    primary, *secondary = sizes
    parts, alpha = [], 1 - differences[0].confidence
    if sizes[primary] > 1:
        parts.append(f"{sizes[primary]} comparisons in {metric_info(primary).label} (primary)")
    if secondary and sizes[secondary[0]] > 1:
        parts.append(f"{sizes[secondary[0]]} comparisons in all secondary metrics together")
    hidden = num_family - (len(selection.conditions) - 1)
    also = f" This includes {format_count(hidden, 'condition')} not shown." if hidden else ""
    yield (
        f"p-values and verdicts are Holm-adjusted for {' and for '.join(parts)}. Intervals are "
        f"widened to match: each excludes 0 exactly if its adjusted p-value is at most "
        f"{format_percent(alpha)}.{also}"
    )
    if secondary and all(standing.stage is not Stage.EXTENDED for standing in standings):
        yield (
            f"An error rate of {format_percent(alpha)} holds for the primary metric, and another for all "
            "secondary metrics together."
        )


def _about_equivalence(differences: Sequence[Difference]) -> Iterable[str]:
    """Yield a note if an interval reaches beyond a margin within which equivalence was shown."""
    beyond = [
        one
        for one in differences
        if one.margin is not None
        and one.equivalence_p_adjusted <= 1 - one.confidence
        and max(-one.adjusted_ci_low, one.adjusted_ci_high) > one.margin
    ]
    if beyond:
        yield (
            "Equivalence rests on two one-sided tests. Their interval is narrower than the two-sided one "
            "shown, which may reach beyond the margin."
        )


def _is_undecided(differences: Sequence[Difference]) -> bool:
    """Return whether the primary metric, which comes first, is undecided in a condition."""
    return any(
        min(one.p_adjusted, one.equivalence_p_adjusted) > 1 - one.confidence
        for one in differences
        if one.metric == differences[0].metric
    )


def _about_designs(standings: Sequence[Standing], confidence: float, is_undecided: bool) -> Iterable[str]:
    if any(standing.stage is Stage.INTERIM for standing in standings):
        yield (
            "Interim: fewer seeds are finished than the spec planned, so there is no verdict yet. "
            "`dropout-lab run SPEC` trains the missing seeds."
        )
    if any(standing.stage is Stage.SEQUENTIAL for standing in standings):
        yield (
            "Sequential design: p-values and intervals hold over all looks. Once decided, the mean "
            "difference in the primary metric is adjusted for the bias of early stopping."
        )
    if any(standing.stage is Stage.EXTENDED for standing in standings):
        yield (
            f"Testing again after adding seeds raises the error rate above "
            f"{format_percent(1 - confidence)}. A sequential design (`dropout-lab run SPEC --seeds 5..30`) "
            "plans the looks and keeps it."
        )
    elif is_undecided and any(one.stage is Stage.PLANNED and one.num_seeds > 1 for one in standings):
        yield (
            "Do not add seeds to these runs to reach a verdict: testing again raises the error rate. "
            "For a new study that adds seeds until decided, use `dropout-lab run SPEC --seeds 5..30`."
        )


def _about_pairing(selection: Selection) -> Iterable[str]:
    reference = selection.reference
    for name in selection.conditions[1:]:
        seeds, reference_seeds = set(selection.runs[name]), set(selection.runs[reference])
        without_partner = format_seeds(seeds ^ reference_seeds)
        if not paired_seeds(seeds, reference_seeds):
            yield (
                f"{name} and {reference} share too few seeds to pair; using an unpaired test, which has "
                "less power."
            )
        elif without_partner:
            yield (
                f"Differences of {name} use the seeds that it shares with {reference}; excluded seeds: "
                f"{without_partner}."
            )


def _about_few_seeds(differences: Sequence[Difference], confidence: float) -> Iterable[str]:
    limited = [one for one in differences if one.n > 1 and one.smallest_p > (1 - confidence) / one.num_tests]
    if limited:
        worst = max(limited, key=lambda one: one.smallest_p)
        yield (
            f"With {worst.n} seeds the {worst.method} test cannot give a p-value below "
            f"{worst.smallest_p:.2g}; {(1 - confidence) / worst.num_tests:.2g} is needed."
        )
