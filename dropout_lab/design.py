"""The design of an experiment: what its spec fixed before the first run."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, Self

DEFAULT_PRIMARY: Final = "test_accuracy"
MAX_LENGTH = 5_000
"""Characters that every tracking store takes in a tag."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An expectation stated before the runs.

    Attributes:
        metric: A final metric, such as ``generalization_gap``.
        condition, reference: The claim is about `condition` compared with `reference`.
        expected: ``lower``, ``higher`` or ``equivalent``.
        margin: Smallest difference (lower, higher) or largest distance (equivalent), as a fraction.
    """

    metric: str
    condition: str
    reference: str
    expected: Literal["lower", "higher", "equivalent"]
    margin: float

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits (SHA-256) over all fields."""
        fields = (self.metric, self.condition, self.reference, self.expected, float(self.margin))
        return hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


def claims_fingerprint(claims: Iterable[Claim]) -> str:
    """Return the fingerprints of `claims`, sorted and joined by commas, so that each can be found again.

    This is the tag ``dropout_lab.claims_fingerprint``, which shows whether a claim preceded the run.
    """
    return ",".join(sorted({claim.fingerprint for claim in claims}))


@dataclass(frozen=True, kw_only=True)
class Design:
    """What the spec fixed before its first run; logged with each run.

    Attributes:
        primary: The metric that the verdict is about.
        first: Seeds per condition at the first look; the only look unless `most` is larger.
        most: Most seeds per condition; equal to `first` in a fixed design.
        step: Seeds per condition between two looks.
        num_conditions: Conditions of the spec, the reference included.
        margins: Equivalence margins by metric, as fractions; other metrics keep their defaults.
        claims: Claims stated in the spec.
        varying: Settings that the conditions differ in, see `varying_settings`; empty if they differ in none,
            and for designs of earlier versions.
        confounded: Those that no two conditions differ in alone, see `confounded_settings`.
    """

    primary: str = DEFAULT_PRIMARY
    first: int
    most: int
    step: int = 1
    num_conditions: int = 1
    margins: Mapping[str, float] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    varying: tuple[str, ...] = ()
    confounded: tuple[str, ...] = ()

    @property
    def is_sequential(self) -> bool:
        """Whether training may stop at an earlier look."""
        return self.most > self.first

    @property
    def looks(self) -> tuple[int, ...]:
        """Seeds per condition at each look, the last one `most`."""
        return (*range(self.first, self.most, self.step), self.most)

    def to_json(self) -> str:
        """Return the design as one line of JSON, for a tag; claims too long for one are left out."""
        content = asdict(self)
        text = json.dumps(content, sort_keys=True)
        return text if len(text) <= MAX_LENGTH else json.dumps({**content, "claims": []}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the design that `to_json` wrote.

        Raises:
            ValueError: The text is not a design.
        """
        try:
            content = json.loads(text)
            claims = tuple(Claim(**claim) for claim in content.pop("claims", ()))
            varying, confounded = (tuple(content.pop(name, ())) for name in ("varying", "confounded"))
            design = cls(**content, claims=claims, varying=varying, confounded=confounded)
            sound = 1 <= design.first <= design.most and design.step >= 1
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a design: {error}") from error
        if not sound:
            raise ValueError(f"not a design: {text}")
        return design
