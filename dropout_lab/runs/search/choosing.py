"""Settings of Optuna for a search: values to choose from, how to choose them, and when to end a trial."""

import itertools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dropout_lab.seeds import derive_seed
from dropout_lab.spec.search import Range, SearchSpec
from dropout_lab.spec.trial_values import takes_integers

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.trial.Trial", search: SearchSpec) -> None:
    """Choose a value of each field, except those that the trial has already."""
    for key, values in search.space.items():
        if not isinstance(values, Range):
            trial.suggest_categorical(key, tuple(map(_kept, values)))
        elif takes_integers(key, values):
            low, high, step = int(values.low), int(values.high), int(values.step or 1)
            trial.suggest_int(key, low, high, log=values.log, step=step)
        else:
            trial.suggest_float(key, values.low, values.high, log=values.log, step=values.step)


def original(search: SearchSpec, key: str, value: Any) -> Any:
    """Return the value of a field that Optuna keeps as `value`."""
    values = search.space[key]
    if isinstance(values, Range):
        is_stepped = values.step is not None and isinstance(value, float)
        return float(f"{value:.12g}") if is_stepped else value  # 0.3, not 0.30000000000000004
    return next(one for one in values if _kept(one) == value)


def combination(search: SearchSpec, number: int) -> dict[str, Any]:
    """Return the values of a combination, as Optuna keeps them.

    Args:
        search: A search whose values can be counted.
        number: Number of the combination, from 0; the last field changes first.
    """
    listed = [
        values.values if isinstance(values, Range) else tuple(map(_kept, values))
        for values in search.space.values()
    ]
    chosen = next(itertools.islice(itertools.product(*listed), number, None))
    return dict(zip(search.space, chosen, strict=True))


def sampler(search: SearchSpec, number: int) -> "optuna.samplers.BaseSampler":
    """Return the sampler of a trial.

    Each trial has a seed of its own, since a single one would start again when a search is resumed.
    Combinations of a grid are queued, so its sampler has nothing to choose.

    References:
        Bergstra et al. (2011), Algorithms for hyper-parameter optimization, NeurIPS 24 (TPE); Ginsbourger et
        al. (2010), Kriging is well-suited to parallelize optimization (constant liar).
    """
    import optuna

    seed = derive_seed(search.sampler_seed, "trial", number)
    if search.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)


def pruner(search: SearchSpec, num_steps: int) -> "optuna.pruners.BasePruner":
    """Return what decides whether a trial is ended early.

    Args:
        search: The search.
        num_steps: Epochs of all seeds of a trial.

    References:
        Li et al. (2018), Hyperband: a novel bandit-based approach to hyperparameter optimization, JMLR 18.
    """
    import optuna

    if search.pruner == "median":
        return optuna.pruners.MedianPruner()
    if search.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=num_steps)
    return optuna.pruners.NopPruner()


def _kept(value: Any) -> Any:
    """Return a listed value as Optuna keeps it, which takes no lists and no mappings."""
    return json.dumps(value, sort_keys=True) if isinstance(value, list | Mapping) else value
