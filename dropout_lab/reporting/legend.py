"""What is said below the tables of a report: the words of verdicts, and the tests."""

from collections.abc import Iterable

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference, format_percent, metric_info


def legend_of_verdicts(comparison: Comparison) -> str:
    """Return what the words of verdicts mean, with the margin of the primary metric."""
    level = format_percent(1 - comparison.confidence)
    margin = next((one.margin for one in comparison.differences if one.metric == comparison.primary), None)
    shown = ""
    if margin is not None:
        within = format_difference(comparison.primary, margin, sign=False)
        shown = f" (in {metric_info(comparison.primary).label}: ±{within})"
    return (
        f"Better, worse, narrower or wider: the adjusted p-value is at most {level}. Equivalent: the "
        f"difference is shown to be within the equivalence margin{shown}. Undecided: neither was shown."
    )


def legend_of_tests(comparison: Comparison) -> str:
    """Return how differences were tested, corrected and standardized; empty if there are none."""
    return " ".join(_tests(comparison))


def _tests(comparison: Comparison) -> Iterable[str]:
    found = comparison.differences
    if not found:
        return
    methods = ", ".join(dict.fromkeys(one.method for one in found))
    yield f"Tests: {methods}."
    for name, chosen in (("primary metric", True), ("secondary metrics", False)):
        num_tests = max((o.num_tests for o in found if (o.metric == comparison.primary) is chosen), default=1)
        if num_tests > 1:
            yield f"Holm correction over {num_tests} comparisons in the {name}."
    if any(one.paired for one in found):
        yield "Effect size: Cohen's d_z, the mean difference in standard deviations of the differences."
    else:
        yield "Effect size: the difference in standard deviations of the runs."
