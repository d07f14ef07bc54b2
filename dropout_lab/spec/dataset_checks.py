"""Checks of the datasets of a spec: fields that do not apply to them."""

from collections.abc import Iterator

from dropout_lab.spec.merging import merged_settings
from dropout_lab.spec.models import Spec
from dropout_lab.spec.problems import Sources, line


def dataset_problems(spec: Spec, sources: Sources) -> Iterator[str]:
    """Yield a line for each field that is set although it does not apply.

    What a condition sets must fit its own dataset, and what all share must fit that of one condition.
    """
    problems = {name: dict(settings.data.misplaced()) for name, settings in merged_settings(spec).items()}
    for field in sorted(spec.data.model_fields_set):
        own = [found[field] for found in problems.values() if field in found]
        if len(own) == len(problems):
            yield line(("data", field), sources, own[0])
    for name, settings in spec.conditions.items():
        for field in sorted(settings.data.model_fields_set & set(problems[name])):
            yield line(("conditions", name, "data", field), sources, problems[name][field])
