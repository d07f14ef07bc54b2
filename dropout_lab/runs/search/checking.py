"""Check before a search starts that the dropout of each trial fits its sites."""

from collections.abc import Callable, Iterator

from dropout_lab.errors import UsageError
from dropout_lab.runs.search.trials import Trial, TrialState, in_words, search_of, trial_runs
from dropout_lab.spec import DataSpec, Settings, Spec
from dropout_lab.spec.grid import DROPOUT, setting_location
from dropout_lab.spec.kinds import FIELDS, SiteDropout, rate_of
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.problems import line
from dropout_lab.spec.rates import ALL_SITES, covers
from dropout_lab.spec.trial_values import combinations
from dropout_lab.spec.yaml_source import YamlSource, parse_yaml

Shape = tuple[tuple[int, ...], int]
MOST_BUILT = 50
"""Combinations up to which the networks of all are built; see `combinations`."""


def needs_check(spec: Spec) -> bool:
    """Return whether a trial may have dropout that does not fit its site; bare rates fit in all of ours."""
    models = [settings.model for _, settings in _trials(spec)]
    return any(model.has_kinds or not model.is_built_in for model in models)


def check_trials(spec: Spec, shape_of: Callable[[DataSpec], Shape]) -> None:
    """Build the networks that trials may have, to check the kind of dropout at each site.

    Args:
        spec: A spec with a search.
        shape_of: Returns the shape of one example and the number of classes of the data of a trial.

    Raises:
        FunctionError: If a network cannot be built.
        UsageError: With the first field of the space that has a value that does not fit, and those that do.
    """
    from dropout_lab.runs.networks import build_networks, check_kinds, check_sites, resolved_settings

    trials = {trial.number: (trial, settings) for trial, settings in _trials(spec)}
    given = {str(number): settings for number, (_, settings) in trials.items()}
    shapes = {data: shape_of(data) for data in dict.fromkeys(one.data for one in given.values())}
    networks = build_networks(given, shapes)
    check_sites(given, {name: one for name, one in networks.items() if not given[name].model.is_built_in})
    for number, (trial, settings) in trials.items():
        try:
            check_kinds({str(trial): resolved_settings(settings, networks[str(number)])}, shapes)
        except UsageError as error:
            words = f"{error.message}, in a trial with {in_words(trial.values)}"
            raise UsageError(_at_field(spec, trial, words), hint=error.hint) from None


def _trials(spec: Spec) -> Iterator[tuple[Trial, Settings]]:
    """Yield a trial, and its settings, for each different network with different kinds at its sites."""
    search = search_of(spec)
    keys = [key for key in search.space if setting_location(key)[0] in ("model", "data")]
    known: set[str] = set()
    for values in combinations(search, keys, MOST_BUILT):
        trial = Trial(len(known), TrialState.RUNNING, values)
        settings = trial_runs(spec, trial)[0].settings
        layout = str((_layout(settings.model), settings.data))
        if layout not in known:
            known.add(layout)
            yield trial, settings


def _layout(model: ModelSpec) -> dict[str, object]:
    """Return what a network consists of; of rates only whether they are 0."""
    dropout = {
        site: (
            rate_of(one) == 0,
            one.model_dump(exclude={"rate"}) if isinstance(one, SiteDropout) else {},
        )
        for site, one in model.resolved().dropout.items()
    }
    return {**model.content(), "dropout": dropout}


def _at_field(spec: Spec, trial: Trial, problem: str) -> str:
    """Return `problem`, about a site, with the place of the field of the space that it comes from."""
    source = parse_yaml(spec.text, spec.path) if spec.path else YamlSource("dl.Spec")
    places = [("search", "space", key) for key in trial.values if _is_about(key, problem)]
    place = places[0] if places else ("search", "space")
    if place not in source.lines:  # an override gave it its values
        source = YamlSource(source.name)
    return line(place, {(): source}, problem)


def _is_about(key: str, problem: str) -> bool:
    """Return whether a field of the space is about the site that ``model.dropout.SITE.FIELD: ...`` names."""
    location = setting_location(key)
    if location[:2] != DROPOUT:
        return False
    site = ".".join(problem.partition(": ")[0].split(".")[2:-1])
    pattern = str(location[2]) if len(location) > 2 and location[2] not in FIELDS else ALL_SITES
    return covers(pattern, site)
