"""Expand a spec into planned runs."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from dropout_lab.comparison.confounds import ADDED
from dropout_lab.records import Claim, Design, claims_fingerprint
from dropout_lab.spec import SequentialSeeds, Settings, Spec, condition_settings, flatten
from dropout_lab.spec.engines import share_engines
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.varied import confounded_settings, varying_settings

if TYPE_CHECKING:
    from dropout_lab.data.dataset import Dataset

RESOLVED_ELSEWHERE = ("data.folder", "device", "training.engine")
"""Settings that do not enter a fingerprint themselves: what they resolve to does."""


@dataclass(frozen=True)
class Origin:
    """The spec file that a run comes from.

    Attributes:
        experiment: MLflow experiment.
        description: The spec's, shown in MLflow.
        text: The file as it was given.
        claims: Fingerprint of the claims that it states; empty where it states none.
        design: What it fixes before the runs, as `Design.to_json` writes it.
        path: Path of the file; empty if the spec was made in Python.
        evaluation: What is measured after training, as JSON of `EvaluationSpec`; empty for the usual metrics
            alone.
        trial: Number of the trial of a search; empty for other runs.
    """

    experiment: str
    description: str = ""
    text: str = ""
    claims: str = ""
    design: str = ""
    path: str = ""
    evaluation: str = ""
    trial: str = ""


@dataclass(frozen=True)
class PlannedRun:
    """One condition to train with one seed."""

    condition: str
    seed: int
    settings: Settings
    origin: Origin
    network_code: str = ""
    """Fingerprint of the user's code that builds the network; empty before `resolve_networks`."""

    @property
    def params(self) -> dict[str, str]:
        """All settings as they are logged."""
        code = {"model.code": self.network_code} if self.network_code else {}
        return flatten(self.settings) | code

    @property
    def evaluation(self) -> EvaluationSpec | None:
        """What is measured after training besides the usual metrics."""
        text = self.origin.evaluation
        return EvaluationSpec.model_validate_json(text) if text else None

    @property
    def name(self) -> str:
        """The run's name in MLflow."""
        return f"{self.condition}-seed{self.seed}"

    @property
    def spec_fingerprint(self) -> str:
        """16 hexadecimal digits over the settings; equal for all seeds of a condition."""
        content = {
            key: value
            for key, value in self.params.items()
            if key not in RESOLVED_ELSEWHERE and ADDED.get(key) != value
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return the run in a form that JSON keeps, for `from_json`."""
        return {
            "condition": self.condition,
            "seed": self.seed,
            "settings": self.settings.content(mode="json"),
            "origin": asdict(self.origin),
            "network_code": self.network_code,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the run that `to_json` kept. Raises ValueError, KeyError or TypeError if it is damaged."""
        settings = Settings.model_validate(content["settings"])
        origin = Origin(**content["origin"])
        code = content.get("network_code", "")
        return cls(content["condition"], content["seed"], settings, origin, code)


def needs_building(run: PlannedRun, data: "Dataset") -> bool:
    """Return whether the network of `run` must be built before it is known that it can be trained."""
    model = run.settings.model
    return not model.is_built_in or bool(model.kinds) or data.input_shape != (28, 28, 1)


def plan_runs(spec: Spec) -> list[PlannedRun]:
    """Return the runs of `spec`: every condition with the first seed, then with the second, and so on.

    In this order the conditions stay paired by seed however early the work is stopped.

    Args:
        spec: As `load_spec` returns it; its text is logged with each run.
    """
    conditions = share_engines(condition_settings(spec))
    claims = [Claim(**claim.model_dump()) for claim in spec.claims]
    design = spec_design(spec).to_json()
    origin = Origin(
        spec.experiment or "",
        spec.description,
        spec.text,
        claims_fingerprint(claims),
        design,
        spec.path,
        spec.evaluation.model_dump_json() if spec.evaluation else "",
    )
    return [
        PlannedRun(condition, seed, settings, origin)
        for seed in spec.all_seeds
        for condition, settings in conditions.items()
    ]


def spec_design(spec: Spec) -> Design:
    """Return what `spec` fixes before its runs."""
    if isinstance(spec.seeds, SequentialSeeds):
        first, most, step = spec.seeds.first, spec.seeds.most, spec.seeds.step
    else:
        first, most, step = len(spec.seeds), len(spec.seeds), 1
    conditions = [flatten(settings) for settings in condition_settings(spec).values()]
    return Design(
        primary=spec.primary,
        first=first,
        most=most,
        step=step,
        num_conditions=len(conditions),
        margins=spec.margins.model_dump(exclude_none=True),
        claims=tuple(Claim(**claim.model_dump()) for claim in spec.claims),
        varying=varying_settings(conditions),
        confounded=confounded_settings(conditions),
    )
