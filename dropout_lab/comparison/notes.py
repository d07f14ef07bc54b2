"""What a reader must know to read a comparison's figures rightly, in sentences."""

from collections.abc import Iterable, Sequence

from dropout_lab.comparison.findings import Exclusion
from dropout_lab.comparison.results import Difference
from dropout_lab.comparison.selection import Selection, format_seeds, paired_seeds


def reading_notes(
    selection: Selection,
    differences: Sequence[Difference],
    exclusions: Sequence[Exclusion],
    *,
    confidence: float,
) -> Iterable[str]:
    """Yield the notes that a comparison needs.

    Args:
        selection: The runs that count.
        differences: As tested.
        exclusions: Runs that do not count, or not in one metric.
        confidence: As asked for.
    """
    reference = selection.reference
    num_comparisons = len(selection.conditions) - 1
    if num_comparisons == 0:
        yield f"{reference} is the only condition with finished runs: there is nothing to compare it with."
    if num_comparisons > 1:
        yield (
            f"p-values and verdicts are corrected over {num_comparisons} conditions (Holm), each metric on "
            "its own; each interval is that of its comparison alone."
        )
    for name in selection.conditions[1:]:
        seeds, reference_seeds = set(selection.runs[name]), set(selection.runs[reference])
        without_partner = format_seeds(seeds ^ reference_seeds)
        if not paired_seeds(seeds, reference_seeds):
            yield (
                f"{name} and {reference} share too few seeds to be paired: they are compared by Welch's "
                "test, which sees less."
            )
        elif without_partner:
            yield (
                f"Differences of {name} are over the seeds that it shares with {reference}; without a "
                f"partner: {without_partner}."
            )
    threshold = (1 - confidence) / max(1, num_comparisons)
    limited = [one for one in differences if one.smallest_p > threshold and one.n > 1]
    if limited:
        worst = max(limited, key=lambda one: one.smallest_p)
        yield (
            f"With {worst.n} seeds the {worst.method} test cannot give a p-value below "
            f"{worst.smallest_p:.2g}; {threshold:.2g} is needed."
        )
    if any(run.spec.get("data.validation") == "test" for run in selection.all_runs()):
        yield (
            "The test images served as validation set. The figures are those after the last epoch, and "
            "nothing may be chosen by them."
        )
    if any(exclusion.metric for exclusion in exclusions):
        yield "Runs without a finite figure are left out of that metric: it speaks of the others only."
