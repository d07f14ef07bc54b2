"""Checks of the networks of a spec: fields that do not apply, and rates at sites that do not exist."""

from collections.abc import Iterator, Sequence

from dropout_lab.spec.built_in import BUILT_IN
from dropout_lab.spec.kinds import AS_BUILT, SiteDropout, rate_of
from dropout_lab.spec.merging import merged_settings
from dropout_lab.spec.models import Spec
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.problems import NoEffect, Sources, line
from dropout_lab.spec.rates import ALL_SITES, covers, is_pattern, unknown_site, unknown_sites


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
            yield NoEffect((*place, field), sources, problem)
    if any(network.sites is None for network in networks):
        return
    sites = list(dict.fromkeys(site for network in networks for site in network.sites or ()))
    optional = [site for network in networks for site in BUILT_IN[network.network].optional_sites]
    unknown = [name for name in unknown_sites(given.dropout, sites) if name not in optional]
    for name in unknown:
        allowed_sites = sites if is_pattern(name) else [*optional, *sites]
        yield line((*place, "dropout", name), sources, unknown_site(name, allowed_sites))
    for name, setting in given.dropout.items():
        where = (*place, "dropout") if name == ALL_SITES else (*place, "dropout", name)
        if rate_of(setting) == AS_BUILT and not (isinstance(setting, SiteDropout) and setting.rate is None):
            problem = f"as_built does not apply to the network {named}, which is built without dropout"
            yield line(where, sources, f"{problem} (allowed: a number at least 0 and below 1)")
        elif isinstance(setting, SiteDropout) and name not in unknown:
            yield from _site_problems(name, setting, networks, where, sources)


def _site_problems(
    name: str, setting: SiteDropout, networks: Sequence[ModelSpec], where: tuple[str, ...], sources: Sources
) -> Iterator[str]:
    """Yield what is wrong with fields that only make sense with others, which may be set elsewhere."""
    found = [
        one
        for network in networks
        for site, one in network.resolved().dropout.items()
        if covers(name, site) and isinstance(one, SiteDropout)
    ]
    for field in dict.fromkeys(field for one in found for field in one.foreign_parameters):
        if getattr(setting, field) is not None:
            misplaced = next(one for one in found if field in one.foreign_parameters).misplaced(field)
            yield NoEffect((*where, field), sources, misplaced["problem"])
    if setting.kind in (None, "standard"):
        return
    if setting.kind not in (one.kind for one in found):
        problem = "no effect: a bare rate is standard dropout (write {rate: 0.2} to keep the kind)"
        yield NoEffect((*where, "kind"), sources, problem)
    elif all(one.rate == 0 for one in found) and setting.rate is None:
        problem = f"no rate for the kind {setting.kind} (write {{kind: {setting.kind}, rate: 0.2}})"
        yield line(where, sources, problem)
