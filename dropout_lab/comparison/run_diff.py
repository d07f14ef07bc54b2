"""Differences between two runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dropout_lab.comparison.confounds import changes_since_commit
from dropout_lab.evaluation.registry import SYSTEM
from dropout_lab.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference; None if a run has no such value.

    Attributes:
        section: ``spec``, ``run``, ``code``, ``versions``, ``fingerprints`` or ``metrics``.
    """

    section: str
    key: str
    first: str | float | None
    second: str | float | None

    @property
    def difference(self) -> float | None:
        """Second minus first; None unless both are numbers."""
        if isinstance(self.first, float) and isinstance(self.second, float):
            return self.second - self.first
        return None


def diff_runs(first: RunRecord, second: RunRecord) -> tuple[Change, ...]:
    """Return the differences between two runs, section by section.

    Ids, names, start times and the machine's load (``system/`` metrics) are left out: no two runs share them.
    """
    one, other = _sections(first), _sections(second)
    return tuple(
        Change(section=section, key=key, first=values.get(key), second=other[section].get(key))
        for section, values in one.items()
        for key in dict.fromkeys([*values, *other[section]])
        if not _equal(values.get(key), other[section].get(key))
    )


def _sections(run: RunRecord) -> dict[str, Mapping[str, str | float]]:
    return {
        "spec": run.spec,
        "run": {
            "condition": run.condition,
            "seed": str(run.seed),
            "status": run.status.value,
            "device": run.device,
            "device_name": run.device_name,
            "engine": run.engine,
            "instruction_set": run.instruction_set,
            "onednn": run.onednn,
            "num_threads": run.num_threads,
        },
        "code": {"code": run.code, "git_commit": run.git_commit, "git_dirty": changes_since_commit(run)},
        "versions": run.versions,
        "fingerprints": {
            "data_digest": run.data_digest,
            "initial_weights": run.initial_weights,
            "batch_order": run.batch_order,
            "final_weights": run.final_weights,
        },
        "metrics": {k: v for k, v in sorted(run.metrics.items()) if SYSTEM.member(k) is None},
    }


def _equal(one: str | float | None, other: str | float | None) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return one == other or both_nan
