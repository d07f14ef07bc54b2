"""Obstacles of a comparison: other differences between runs, and excluded runs."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """REFUSED: affects results, so nothing is compared. CAUTION: may matter, or was allowed."""

    REFUSED = "refused"
    CAUTION = "caution"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A difference between runs besides the setting under study.

    Attributes:
        key: The fact that differs, as `--allow` takes it: a spec key, ``versions.keras``, ``batch_order`` ...
        conditions: Conditions that differ; a single name if the runs of a condition differ.
        values: Values in each of `conditions`, in the same order, in words.
        observation: The difference, and why it matters.
        advice: Its effect and the remedy; empty if there is none.
    """

    key: str
    kind: FindingKind
    conditions: tuple[str, ...]
    values: tuple[str, ...]
    observation: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """The observation and the advice."""
        return f"{self.observation} {self.advice}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """A run that is excluded, from the comparison or from one metric, and why.

    Attributes:
        metric: The metric that it is excluded from; empty if from all.
    """

    run_id: str
    run_name: str
    condition: str
    seed: int
    reason: str
    metric: str = ""
