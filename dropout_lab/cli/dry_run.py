"""``dropout-lab run --dry-run``: the values that will be used, the runs and the model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lab.spec import Spec


def print_plan(spec: "Spec") -> None:
    """Print what `run` would do with `spec`, each value once."""
    import yaml

    from dropout_lab.cli.console import starting_tensorflow, stdout
    from dropout_lab.cli.tables import print_text
    from dropout_lab.evaluation.metrics import format_count

    with starting_tensorflow():
        from dropout_lab.runs.planning import plan_runs
        from dropout_lab.spec import ModelSpec
        from dropout_lab.training.trainer import model_summary
    runs = plan_runs(spec)
    conditions = {run.condition: run.settings for run in runs}
    console = stdout()
    # The YAML writer ends a line after the value that exceeds the width.
    width = min(console.width, 100) - 20
    values = yaml.safe_dump(
        resolved(spec), sort_keys=False, allow_unicode=True, default_flow_style=None, width=width
    )
    print_text(console, values)
    print_text(console, f"{format_count(len(runs), 'run')}: {', '.join(run.name for run in runs)}")
    print_text(console, "\nDropout rates:")
    for condition, settings in conditions.items():
        rates = ", ".join(f"{site} {rate:g}" for site, rate in settings.model.rates.items())
        print_text(console, f"  {condition}: {rates}")
    networks: dict[str, tuple[ModelSpec, list[str]]] = {}
    for condition, settings in conditions.items():
        key = str(settings.model.content() | {"dropout": None})
        networks.setdefault(key, (settings.model, []))[1].append(condition)
    for network, names in networks.values():
        print_text(
            console,
            f"\nModel{' of ' + ', '.join(names) if len(networks) > 1 else ''}:\n{model_summary(network)}",
        )


def resolved(spec: "Spec") -> dict[str, Any]:
    """Return the values that the runs of `spec` use: shared ones first, then those of each condition."""
    from dropout_lab.spec import Settings, condition_settings

    own_fields = spec.model_dump(
        mode="json", exclude={*Settings.model_fields, "conditions"}, exclude_none=True
    )
    head = {key: value for key, value in own_fields.items() if value not in ("", {}, [])}
    conditions = {name: settings.content(mode="json") for name, settings in condition_settings(spec).items()}
    shared, own = _split(conditions)
    return {**head, **shared, **({"conditions": own} if len(own) > 1 else {})}


def _split(trees: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return what all `trees` share, and for each what it has of its own."""
    shared: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {name: {} for name in trees}
    first = next(iter(trees.values()))
    for key, value in first.items():
        values = {name: tree[key] for name, tree in trees.items()}
        if all(one == value for one in values.values()):
            shared[key] = value
        elif isinstance(value, Mapping):
            part, parts = _split(values)
            if part:
                shared[key] = part
            for name, rest in parts.items():
                if rest:
                    own[name][key] = rest
        else:
            for name, one in values.items():
                own[name][key] = one
    return shared, own
