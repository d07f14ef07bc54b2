"""What stands in the way of a comparison: what else differs between runs, and runs that do not count."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """REFUSED: it changes results, and no comparison is made. CAUTION: it may matter, or was allowed."""

    REFUSED = "refused"
    CAUTION = "caution"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something besides what is being compared that differs between runs.

    Attributes:
        key: What differs, as `--allow` takes it: a spec key, ``versions.keras``, ``batch_order`` ...
        conditions: Where; a single name where runs within a condition differ.
        values: The values found in each of `conditions`, in the same order, in words.
        observation: What differs, where, and why it matters.
        advice: What it does to the results, and what to do; empty where the observation says all.
    """

    key: str
    kind: FindingKind
    conditions: tuple[str, ...]
    values: tuple[str, ...]
    observation: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """The observation and the advice, for people."""
        return f"{self.observation} {self.advice}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """A run that is not counted, or not in one metric, and why.

    Attributes:
        metric: The metric that it does not count in; empty where it counts in none.
    """

    run_id: str
    run_name: str
    condition: str
    seed: int
    reason: str
    metric: str = ""
