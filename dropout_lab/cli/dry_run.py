"""``dropout-lab run --dry-run``: the values that will be used, the runs, dropout sites and networks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lab.models.network import Network
    from dropout_lab.reporting.tables import TextTable
    from dropout_lab.spec import DataSpec, Settings, Spec
    from dropout_lab.spec.kinds import SiteSetting


def print_plan(spec: "Spec") -> None:
    """Print what `run` would do with `spec`, each value once.

    Raises:
        UsageError: If a network cannot be built, a rate fits none of its sites, or images are changed that
            are none.
    """
    import yaml

    from dropout_lab.cli.console import starting_tensorflow, stdout
    from dropout_lab.cli.tables import print_table, print_text
    from dropout_lab.evaluation.metrics import format_count

    with starting_tensorflow():
        from dropout_lab.models.inspection import summary_text
        from dropout_lab.runs.images import check_images
        from dropout_lab.runs.networks import build_networks, check_kinds, check_sites, resolved_settings
        from dropout_lab.runs.planning import plan_runs
        from dropout_lab.runs.search.checking import check_trials
        from dropout_lab.runs.search.trials import baseline_spec, runs_in_words
    runs = plan_runs(baseline_spec(spec) if spec.search else spec)
    given = {run.condition: run.settings for run in runs}
    shapes = {settings.data: _shape(settings.data) for settings in given.values()}
    check_images(given.values(), {data: shape for data, (shape, _) in shapes.items()})
    networks = build_networks(given, shapes)
    check_sites(given, networks)
    conditions = {name: resolved_settings(settings, networks[name]) for name, settings in given.items()}
    check_kinds(conditions, shapes)
    if spec.search:
        check_trials(spec, _shape)
    console = stdout()
    # The YAML writer ends a line after the value that exceeds the width.
    width = min(console.width, 100) - 20
    values = yaml.safe_dump(
        resolved(spec, conditions), sort_keys=False, allow_unicode=True, default_flow_style=None, width=width
    )
    print_text(console, values)
    listed = f"{format_count(len(runs), 'run')}: {', '.join(run.name for run in runs)}"
    print_text(console, runs_in_words(spec) if spec.search else listed)
    for network in dict.fromkeys(networks.values()):
        names = [name for name in networks if networks[name] is network]
        of = f" of {', '.join(names)}" if len(names) < len(networks) else ""
        console.print()
        print_table(console, site_table(network, {name: conditions[name] for name in names}))
        print_text(console, f"\nModel{of}:\n{summary_text(network.model)}")


def _shape(data: "DataSpec") -> tuple[tuple[int, ...], int]:
    """Return the shape of one example and the number of classes, without the files if they are known."""
    if data.dataset == "fashion_mnist":
        return (28, 28, 1), 10
    from dropout_lab.data.selection import load_data

    loaded = load_data(data)
    return loaded.input_shape, loaded.num_classes


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
