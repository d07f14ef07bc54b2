"""Settings that finished runs were evaluated with, which confound only the metrics that depend on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from dropout_lab.comparison.confounds import EVALUATION, NOT_LOGGED
from dropout_lab.comparison.facts import FactsBySeed
from dropout_lab.evaluation.measured_parts import read_parts
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.records import RunRecord

EvaluationFacts = Mapping[str, Mapping[str, FactsBySeed]]
"""By setting, ``evaluation.PART.SETTING``, its value in each run that has a metric that depends on it."""


def evaluation_facts(runs: Iterable[RunRecord], metrics: Iterable[str]) -> EvaluationFacts:
    """Return the settings of the evaluation that metrics depend on.

    Args:
        runs: Included runs.
        metrics: Metrics that are compared or shown.
    """
    runs = tuple(runs)
    dependent: dict[tuple[str, str], set[str]] = defaultdict(set)
    for metric in metrics:
        for setting in metric_info(metric).settings:
            part, _, name = setting.partition(".")
            dependent[part, name].add(metric)
    found: dict[str, dict[str, dict[int, dict[str, str]]]] = {}
    for (part, name), names in dependent.items():
        key = f"{EVALUATION}.{part}.{name}"
        found[key] = defaultdict(dict)
        for run in runs:
            if not names.isdisjoint(run.metrics):
                value = read_parts(run.evaluated).get(part, {}).get(name, NOT_LOGGED)
                found[key][run.condition][run.seed] = {key: str(value)}
    return found


def with_evaluation(facts: Mapping[str, FactsBySeed], found: EvaluationFacts) -> dict[str, FactsBySeed]:
    """Return the facts of all runs with those of their evaluation."""
    return {
        name: {
            seed: {**own}
            | {key: one[name][seed][key] for key, one in found.items() if seed in one.get(name, {})}
            for seed, own in by_seed.items()
        }
        for name, by_seed in facts.items()
    }
