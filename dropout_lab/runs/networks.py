"""Networks of the user's, built once before any run starts: their sites, rates and code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import UsageError
from dropout_lab.functions import LoadedFunction
from dropout_lab.models.network import Network, build_network
from dropout_lab.runs.planning import PlannedRun, needs_building
from dropout_lab.spec import DataSpec, Settings
from dropout_lab.spec.rates import unknown_site, unknown_sites
from dropout_lab.tracking.model_code import ModelCode
from dropout_lab.training.devices import configure_keras


def resolve_networks(runs: Sequence[PlannedRun], datasets: Mapping[DataSpec, Dataset]) -> list[PlannedRun]:
    """Return `runs` with one rate per site and the fingerprint of the code of their networks.

    Args:
        runs: Planned runs.
        datasets: Examples by the data settings that choose them.

    Raises:
        FunctionError: If a network cannot be built.
        UsageError: If it does not fit the data, or a name in ``model.dropout`` fits no site.
    """
    all_settings = {run.condition: run.settings for run in runs}
    unknown = {run.condition for run in runs if needs_building(run, datasets[run.settings.data])}
    shapes = {spec: (data.input_shape, data.num_classes) for spec, data in datasets.items()}
    networks = build_networks({name: one for name, one in all_settings.items() if name in unknown}, shapes)
    check_sites(all_settings, networks)
    resolved = {name: resolved_settings(all_settings[name], networks[name]) for name in networks}
    check_kinds(all_settings | resolved, shapes)
    return [
        replace(
            run,
            settings=resolved[run.condition],
            network_code=networks[run.condition].code_fingerprint,
        )
        if run.condition in networks
        else run
        for run in runs
    ]


def build_networks(
    by_condition: Mapping[str, Settings], shapes: Mapping[DataSpec, tuple[tuple[int, ...], int]]
) -> dict[str, Network]:
    """Return the network of each condition, with the rates that it gives its sites itself.

    Args:
        by_condition: Settings of conditions; equal networks are built once.
        shapes: Shape of one example and number of classes, by data settings.
    """
    built: dict[str, Network] = {}
    networks = {}
    for condition, settings in by_condition.items():
        model = settings.model.as_built()
        shape, precision = shapes[settings.data], settings.training.precision
        key = str((model.content(), shape, precision))
        if key not in built:
            configure_keras(precision)
            built[key] = build_network(model, *shape, run_seed=0)
        networks[condition] = built[key]
    return networks


def check_sites(by_condition: Mapping[str, Settings], networks: Mapping[str, Network]) -> None:
    """Check that each name or pattern fits a site in the network of some condition.

    Args:
        by_condition: Settings of all conditions.
        networks: Networks of those whose network is not built in; `Spec` has checked the others.

    Raises:
        UsageError: With the first that does not, and the nearest site.
    """
    built_in = [site for settings in by_condition.values() for site in settings.model.sites or ()]
    own = [site for network in networks.values() for site in network.rates]
    known = list(dict.fromkeys([*own, *built_in]))
    for condition in networks:
        for name in unknown_sites(by_condition[condition].model.dropout, known):
            place = f"model.dropout of {condition}" if len(by_condition) > 1 else "model.dropout"
            raise UsageError(
                f"{place}: {unknown_site(name, known)}",
                hint="`dropout-lab run SPEC --dry-run` lists the sites of each network.",
            )


def check_kinds(
    by_condition: Mapping[str, Settings], shapes: Mapping[DataSpec, tuple[tuple[int, ...], int]]
) -> None:
    """Check that each kind of dropout fits its site, by building the networks with other kinds.

    Args:
        by_condition: Settings of conditions, with one complete setting per site.
        shapes: Shape of one example and number of classes, by data settings.

    Raises:
        UsageError: With the first that does not fit, and those that do.
    """
    built = set()
    for condition, settings in by_condition.items():
        shape, precision = shapes[settings.data], settings.training.precision
        key = str((settings.model.content(), shape, precision))
        if settings.model.has_kinds and key not in built:
            built.add(key)
            configure_keras(precision)
            try:
                scheduled = settings.model.scheduled_sites
                build_network(settings.model, *shape, run_seed=0, variable_sites=scheduled)
            except UsageError as error:
                where = f"condition {condition}: " if len(by_condition) > 1 else ""
                raise UsageError(f"{where}{error.message}", hint=error.hint) from None


def resolved_settings(settings: Settings, network: Network) -> Settings:
    """Return `settings` with one complete setting per site of `network`."""
    model = settings.model
    resolved = model.resolved() if model.is_built_in else model.with_sites(network.rates)
    return settings.model_copy(update={"model": resolved})


def model_code(function: LoadedFunction | None) -> ModelCode | None:
    """Return the code that a logged model needs if `function` makes its network; None if it needs none."""
    if function is None or function.root is None or function.module is None:
        return None
    main = Path(str(function.module.__file__))
    return ModelCode(root=function.root, files=function.files, main=main, module=function.module.__name__)
