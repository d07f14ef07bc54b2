"""Checks of the networks of a spec: fields that do not apply, and rates at sites that do not exist."""

from collections.abc import Iterator, Sequence

from dropout_lab.spec.merging import merged_settings
from dropout_lab.spec.models import Spec
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.problems import Sources, line
from dropout_lab.spec.rates import ALL_SITES, AS_BUILT, unknown_site, unknown_sites


def network_problems(spec: Spec, sources: Sources) -> Iterator[str]:
    """Yield what is wrong with networks that are built in; the sites of others are not known yet.

    What a condition sets must fit its own network, and what all share must fit that of one condition.
    """
    networks = {name: settings.model for name, settings in merged_settings(spec).items()}
    yield from _problems(spec.model, list(networks.values()), ("model",), sources)
    for name, settings in spec.conditions.items():
        yield from _problems(settings.model, [networks[name]], ("conditions", name, "model"), sources)


def _problems(
    given: ModelSpec, networks: Sequence[ModelSpec], place: tuple[str, ...], sources: Sources
) -> Iterator[str]:
    named = ", ".join(dict.fromkeys(network.network for network in networks))
    for field in sorted(given.model_fields_set - {"network", "dropout"}):
        if not any(field in network.fields for network in networks):
            allowed = ", ".join(dict.fromkeys(["dropout", *networks[0].fields]))
            problem = f"does not apply to the network {named} (allowed: {allowed})"
            yield line((*place, field), sources, problem)
    if any(network.sites is None for network in networks):
        return
    sites = list(dict.fromkeys(site for network in networks for site in network.sites or ()))
    for name in unknown_sites(given.dropout, sites):
        yield line((*place, "dropout", name), sources, unknown_site(name, sites))
    for name, rate in given.dropout.items():
        if rate == AS_BUILT:
            where = (*place, "dropout") if name == ALL_SITES else (*place, "dropout", name)
            problem = f"as_built does not apply to the network {named}, which is built without dropout"
            yield line(where, sources, f"{problem} (allowed: a number at least 0 and below 1)")
