"""dropout_lab: a laboratory for dropout, on the command line and in Python."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropout_lab.api.comparing import compare
    from dropout_lab.api.deleting import delete
    from dropout_lab.api.diffing import diff
    from dropout_lab.api.discarding import discard
    from dropout_lab.api.dry_running import dry_run
    from dropout_lab.api.evaluating import EvaluationResult, evaluate
    from dropout_lab.api.frames import load_runs
    from dropout_lab.api.judging import judge
    from dropout_lab.api.moving import export_experiment, import_experiment
    from dropout_lab.api.planning import PlanResult, plan
    from dropout_lab.api.predicting import Predictions, predict
    from dropout_lab.api.promoting import promote
    from dropout_lab.api.results import ComparisonResult
    from dropout_lab.api.resuming import resume
    from dropout_lab.api.run_result import RunResult
    from dropout_lab.api.running import run
    from dropout_lab.api.within import compare_within
    from dropout_lab.errors import DropoutLabError
    from dropout_lab.scaffold import create_study
    from dropout_lab.spec import Spec, load_spec

__version__ = "0.2.0.dev0"
__all__ = [
    "ComparisonResult",
    "DropoutLabError",
    "EvaluationResult",
    "PlanResult",
    "Predictions",
    "RunResult",
    "Spec",
    "__version__",
    "compare",
    "compare_within",
    "create_study",
    "delete",
    "diff",
    "discard",
    "dry_run",
    "evaluate",
    "export_experiment",
    "import_experiment",
    "judge",
    "load_runs",
    "load_spec",
    "plan",
    "predict",
    "promote",
    "resume",
    "run",
]

_HOMES = {
    "ComparisonResult": "dropout_lab.api.results",
    "DropoutLabError": "dropout_lab.errors",
    "EvaluationResult": "dropout_lab.api.evaluating",
    "PlanResult": "dropout_lab.api.planning",
    "Predictions": "dropout_lab.api.predicting",
    "RunResult": "dropout_lab.api.run_result",
    "Spec": "dropout_lab.spec",
    "compare": "dropout_lab.api.comparing",
    "compare_within": "dropout_lab.api.within",
    "create_study": "dropout_lab.scaffold",
    "delete": "dropout_lab.api.deleting",
    "diff": "dropout_lab.api.diffing",
    "discard": "dropout_lab.api.discarding",
    "dry_run": "dropout_lab.api.dry_running",
    "evaluate": "dropout_lab.api.evaluating",
    "export_experiment": "dropout_lab.api.moving",
    "import_experiment": "dropout_lab.api.moving",
    "judge": "dropout_lab.api.judging",
    "load_runs": "dropout_lab.api.frames",
    "load_spec": "dropout_lab.spec",
    "plan": "dropout_lab.api.planning",
    "predict": "dropout_lab.api.predicting",
    "promote": "dropout_lab.api.promoting",
    "resume": "dropout_lab.api.resuming",
    "run": "dropout_lab.api.running",
}
"""Modules that are imported when one of their names is first used."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
