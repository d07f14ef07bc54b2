"""Train the runs of a spec from Python."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dropout_lab.api.objects import spec_of_objects
from dropout_lab.api.run_result import RunResult
from dropout_lab.api.search_result import SearchResult
from dropout_lab.api.training import ONE_CALL_AT_A_TIME, pass_on, show_progress, starting
from dropout_lab.errors import UsageError
from dropout_lab.libraries import quiet_libraries
from dropout_lab.runs.designs import train_designs
from dropout_lab.runs.executors import Workers, chosen_workers
from dropout_lab.runs.planning import plan_runs
from dropout_lab.spec import Spec, load_spec, override_spec, seeds_override
from dropout_lab.spec.building import plain

Seeds = int | Sequence[int] | Mapping[str, int] | str
"""A count, a list, or a sequential design: ``{"first": 5, "most": 30}`` or ``"5..30"``."""


def run(
    spec: Spec | str | Path | None = None,
    *,
    model: Any = None,
    data: Any = None,
    conditions: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    experiment: str | None = None,
    seeds: Seeds | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    fresh: bool = False,
    workers: int | str | None = None,
    executor: str = "local",
    address: str | None = None,
    fail_fast: bool = False,
    progress: bool = True,
    check: bool = True,
) -> RunResult:
    """Train every condition with every seed, as ``dropout-lab run`` does.

    Each is one MLflow run. Skips finished runs and resumes interrupted ones. Works on any thread; a second
    call waits until the first one ends. Settings of Keras and states of random numbers are restored.

    Args:
        spec: Path of a spec file, or a spec made in Python. Without one, the next arguments tell what to
            train.
        model: Network: a function that returns a Keras model, or a model, of which the weights are not used.
            The function is called with those of `input_shape` and `num_classes` or `classes` that it takes.
            Its layers are those of Keras; for layers of your own, name the function: ``file.py:function``.
            [default: the published network]
        data: Arrays (x_train, y_train, x_test, y_test), pairs of them as the datasets of Keras have, (x, y),
            or a mapping with these names; or the name of a dataset. They are kept in ``mlruns/``, so that
            runs can be resumed. [default: Fashion-MNIST]
        conditions: Dropout by name of the condition: one rate, rates by site, or ``"as_built"``; or a mapping
            of settings as in a spec file. [default: one condition]
        epochs: Passes over the training set.
        batch_size: Batch size.
        experiment: MLflow experiment. [default: the spec's, or the name of the network]
        seeds: Seeds per condition: a count (5), a list ([0, 1, 2]) or a sequential design ("5..30").
            [default: the spec's]
        overrides: Spec fields to override: ``{"training.epochs": 3}`` or ``["training.epochs=3"]``.
        fresh: Retrain runs even if they are finished or interrupted.
        workers: Number of processes that train at once, or ``"auto"``. [default: this process alone; on a
            cluster, as many as it has room for]
        executor: Where runs are trained: ``"local"`` or ``"ray"``, a Ray cluster whose nodes share the
            current folder.
        address: Ray cluster: ``HOST:PORT`` of its head node, ``"auto"`` or ``"local"``. [default:
            RAY_ADDRESS, else the cluster that runs on this host, else a new one for the time of the call]
        fail_fast: Whether the first failure ends the call; what is running is saved.
        progress: Whether progress is shown: a bar in terminals and notebooks, else lines on standard error.
        check: Whether runs that failed raise an error, after the others were tried.

    Returns:
        Finished runs and failures; `RunResult.compare` compares the conditions. Of a spec with a search, the
        runs that confirm the best trial; `RunResult.search` has the trials and the verdict.

    Raises:
        SpecError: If the spec is invalid. Nothing was started, as for the next five.
        UsageError: If `workers`, `executor` or `address` is invalid, or Ray is not installed.
        ClusterError: If the cluster cannot be used.
        DataError: If the data are missing or damaged.
        DeviceError: If a device is not available.
        TrackingError: If the store cannot be used.
        KeyboardInterrupt: If the call was interrupted. The state is saved; the same call continues.
        DropoutLabError: If runs failed and `check` is true.

    Examples:
        >>> import dropout_lab as dl
        >>> spec = dl.Spec(
        ...     name="doctest",
        ...     training={"epochs": 1},
        ...     data={"num_train": 200, "num_test": 100},
        ...     model={"filters": [2, 4], "hidden_units": 8},
        ...     conditions={"none": {"model": {"dropout": 0}}, "half": {"model": {"dropout": 0.5}}},
        ... )
        >>> result = dl.run(spec, progress=False)
        >>> result.runs["run_name"].tolist()
        ['none-seed0', 'half-seed0']
    """
    objects = {"model": model, "data": data, "conditions": conditions}
    shared = {"training.epochs": epochs, "training.batch_size": batch_size, "experiment": experiment}
    texts = override_texts(shared, overrides, seeds)
    count = None if workers is None else str(workers)
    with ONE_CALL_AT_A_TIME, quiet_libraries():
        loaded = _load(spec, objects, texts)
        if loaded.search is not None:
            from dropout_lab.runs.search.trials import planned_runs

            with chosen_workers(executor, count, address, planned_runs(loaded), starting) as plan:
                return _search(loaded, plan, progress=progress, fresh=fresh, fail_fast=fail_fast, check=check)
        runs = plan_runs(loaded)
        with chosen_workers(executor, count, address, runs, starting) as plan:
            display = show_progress(len(runs), progress, at_once=plan is not None and plan.count > 1)
            runs, report = train_designs(
                [runs], display, starting, plan=plan, fresh=fresh, fail_fast=fail_fast
            )
    if report.interrupted is not None:
        pass_on(report.interrupted, fresh=fresh)
    if check:
        report.raise_problems(fresh=fresh)
    return RunResult(tuple(runs), report)


def _search(
    spec: Spec, plan: Workers | None, *, progress: bool, fresh: bool, fail_fast: bool, check: bool
) -> RunResult:
    from dropout_lab.runs.search.search import run_search

    at_once = plan is not None and plan.count > 1
    outcome = run_search(
        spec,
        lambda num_runs: show_progress(num_runs, progress, at_once=at_once),
        starting,
        plan=plan,
        fresh=fresh,
        fail_fast=fail_fast,
    )
    interrupted = outcome.report.interrupted or outcome.confirmation.interrupted
    if interrupted is not None:
        pass_on(interrupted, fresh=fresh)
    if check:
        outcome.raise_problems(fresh=fresh)
    return RunResult(outcome.planned, outcome.confirmation, SearchResult(outcome))


def _load(spec: Spec | str | Path | None, objects: Mapping[str, Any], texts: Sequence[str]) -> Spec:
    given = [name for name, value in objects.items() if value is not None]
    if spec is None:
        if not given:
            raise UsageError("spec: missing (allowed: a spec, or model, data and conditions)")
        with starting("TensorFlow"):
            from dropout_lab.training.own_state import own_state
        with own_state():
            return spec_of_objects(**objects, texts=texts)
    if given:
        raise UsageError(f"{given[0]}: not allowed with a spec, which has `{given[0]}` itself")
    return with_overrides(spec, texts)


def with_overrides(spec: Spec | str | Path, texts: Sequence[str]) -> Spec:
    """Return a spec, or that of a file, with overrides of the form ``KEY=VALUE``."""
    return override_spec(spec, texts) if isinstance(spec, Spec) else load_spec(spec, texts)


def override_texts(
    shared: Mapping[str, Any], overrides: Sequence[str] | Mapping[str, Any], seeds: Seeds | None
) -> list[str]:
    """Return the arguments of `run` that override spec fields as texts ``KEY=VALUE``."""
    texts = [f"{key}={json.dumps(plain(value))}" for key, value in shared.items() if value is not None]
    if isinstance(overrides, Mapping):
        texts += [f"{key}={json.dumps(plain(value))}" for key, value in overrides.items()]
    else:
        texts += overrides
    if isinstance(seeds, str):
        texts.append(seeds_override(seeds))
    elif seeds is not None:
        texts.append(f"seeds={json.dumps(plain(seeds))}")
    return texts
