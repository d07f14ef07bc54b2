"""``dropout-lab run --dry-run``: the values that will be used, the runs, dropout sites and networks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lab.models.network import Network
    from dropout_lab.reporting.tables import TextTable
    from dropout_lab.runs.dry_run import DryRun
    from dropout_lab.spec import Settings, Spec
    from dropout_lab.spec.kinds import SiteSetting


def find_plans(specs: "Sequence[Spec]", workers: str | None, *, fresh: bool = False) -> "list[DryRun]":
    """Return what `run` would do with each of `specs`; see `runs.dry_run` for what it raises."""
    from dropout_lab.cli.console import starting, starting_tensorflow

    with starting_tensorflow():
        from dropout_lab.training.devices import resolve_device

        resolve_device("auto")  # TensorFlow logs to the terminal when it first looks for devices
    with starting("MLflow"):
        from dropout_lab.runs.dry_run import dry_run
    return [dry_run(spec, workers, fresh=fresh) for spec in specs]


def print_plans(plans: "Sequence[DryRun]", *, as_json: bool) -> None:
    """Print what `run` would do with specs, as text or as a JSON list."""
    from dropout_lab.cli.console import print_json

    if as_json:
        print_json([{**plan.to_json(), "spec": resolved(plan.spec, plan.conditions)} for plan in plans])
        return
    for plan in plans:
        print_plan(plan)


def print_plan(plan: "DryRun") -> None:
    """Print what `run` would do with a spec, each value once."""
    import yaml

    from dropout_lab.cli.console import stdout
    from dropout_lab.cli.tables import print_table, print_text
    from dropout_lab.models.inspection import SUMMARY_WIDTH, summary_text
    from dropout_lab.runs.search.trials import runs_in_words

    console = stdout()
    # The YAML writer ends a line after the value that exceeds the width.
    width = min(console.width, 100) - 20
    values = yaml.safe_dump(
        resolved(plan.spec, plan.conditions),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=width,
    )
    print_text(console, values)
    for note in plan.notes:
        print_text(console, note)
    if plan.spec.search:
        print_text(console, runs_in_words(plan.spec))
    else:
        print_table(console, run_table(plan))
    print_text(console, expected_sentence(plan))
    for network in dict.fromkeys(plan.networks.values()):
        names = [name for name in plan.networks if plan.networks[name] is network]
        of = f" of {', '.join(names)}" if len(names) < len(plan.networks) else ""
        console.print()
        print_table(console, site_table(network, {name: plan.conditions[name] for name in names}))
        summary = summary_text(network.model, min(console.width, SUMMARY_WIDTH))
        print_text(console, f"\nModel{of}:\n{summary}")


def run_table(plan: "DryRun") -> "TextTable":
    """Return the runs of a spec, with the time that each is expected to take."""
    from dropout_lab.evaluation.metrics import format_count, format_duration
    from dropout_lab.reporting.tables import TextTable

    rows = [
        (
            one.run.name,
            "finished" if one.is_finished else format_duration(one.time.seconds) if one.time else "unknown",
        )
        for one in plan.runs
    ]
    return TextTable(format_count(len(rows), "run"), ("Run", "Expected time"), tuple(rows))


def expected_sentence(plan: "DryRun") -> str:
    """Return the time that all runs together are expected to take, and what it is estimated from."""
    from dropout_lab.evaluation.metrics import format_count, format_duration
    from dropout_lab.spec import SequentialSeeds

    num_missing = plan.num_others + sum(not one.is_finished for one in plan.runs)
    if not num_missing:
        return "Expected time: none, all runs are finished"
    if plan.seconds is None:
        return (
            "Expected time: not known yet, since no finished run in the store has this network, data size,"
            " engine and hardware. After the first run, this command estimates it."
        )
    is_most = plan.num_others or isinstance(plan.spec.seeds, SequentialSeeds)
    most = "at most " if is_most else "about "
    at_once = f", {plan.num_workers} at once" if plan.num_workers > 1 else ""
    num_runs = max(one.time.num_runs for one in plan.runs if one.time)
    source = f"estimated from {format_count(num_runs, 'finished run')}"
    runs = f"{format_count(num_missing, 'run')}{at_once}"
    return (
        f"Expected time: {most}{format_duration(plan.seconds)} for {runs}"
        f" ({source} with this network, data size, engine and hardware)"
    )


def site_table(network: "Network", conditions: "Mapping[str, Settings]") -> "TextTable":
    """Return the dropout sites of a network, and their rates and kinds in each condition.

    Args:
        network: The network with the rates that it gives its sites itself.
        conditions: Settings of its conditions, with one complete setting per site.
    """
    from dropout_lab.reporting.tables import TextTable

    settings = {name: one.model.resolved().dropout for name, one in conditions.items()}
    rows = [
        (
            site.name,
            site.kind,
            " x ".join("any" if size is None else str(size) for size in site.shape or ()) or "-",
            f"{site.rate:g}",
            *(_in_words(by_site[site.name]) for by_site in settings.values()),
        )
        for site in network.sites
    ]
    return TextTable(
        title="Dropout rates" if rows else "Dropout rates: the network has no dropout sites",
        headings=("Site", "Kind", "Shape", "As built", *settings),
        rows=tuple(rows),
        details=("Shape", "Kind"),
    )


def _in_words(setting: "SiteSetting") -> str:
    """Return the rate of a site, and what else is set: ``0.1 dropblock, block_size 7, cosine``."""
    if isinstance(setting, float):
        return f"{setting:g}"
    if isinstance(setting, str):
        return setting
    parameters = setting.model_dump(exclude={"rate", "kind", "schedule"})
    rate = f"{setting.rate:g} {setting.kind or ''}".strip()
    schedule = [str(setting.schedule)] if setting.schedule else []
    return ", ".join([rate, *(f"{name} {value}" for name, value in parameters.items()), *schedule])


def resolved(spec: "Spec", by_condition: "Mapping[str, Settings]") -> dict[str, Any]:
    """Return the values that the runs of `spec` use: shared ones first, then those of each condition."""
    from dropout_lab.spec import Settings

    own_fields = spec.model_dump(
        mode="json", exclude={*Settings.model_fields, "conditions"}, exclude_none=True
    )
    head = {key: value for key, value in own_fields.items() if value not in ("", {}, [])}
    conditions = {name: settings.content(mode="json") for name, settings in by_condition.items()}
    shared, own = _split(conditions)
    return {**head, **shared, **({"conditions": own} if len(own) > 1 else {})}


def _split(trees: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return what all `trees` share, and for each what it has of its own."""
    shared: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {name: {} for name in trees}
    for key in dict.fromkeys(key for tree in trees.values() for key in tree):
        values = {name: tree[key] for name, tree in trees.items() if key in tree}
        first, in_all = next(iter(values.values())), len(values) == len(trees)
        if in_all and all(one == first for one in values.values()):
            shared[key] = first
        elif in_all and all(isinstance(one, Mapping) for one in values.values()):
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
