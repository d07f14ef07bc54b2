"""The identity of a run: all that decides its weights, so that results of two kinds are never mixed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from dropout_lab.records import DataFingerprint, DeviceInfo, RunRecord, device_kind
from dropout_lab.runs.code import training_code
from dropout_lab.runs.planning import PlannedRun

RESULT_PACKAGES = ("tensorflow", "keras", "numpy")
"""Packages whose version can change a trained weight."""

_RESOLVED_ELSEWHERE = ("data.", "device", "training.engine")
"""Beginnings of settings that do not enter an identity themselves: what they resolve to does."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a run's weights follow from.

    Attributes:
        condition, seed: Condition and seed of the run.
        settings: Settings of model and training, and fingerprints of the user's code.
        data: Digest of the data.
        device: ``CPU`` or ``GPU``, whichever one of them.
        engine: Name of the engine.
        versions: Versions of `RESULT_PACKAGES`.
        code: Fingerprint of the code that trains.
        arithmetic: What else the last bits of a weight depend on, such as the number of threads. Not
            part of `key`: a run finished elsewhere is the same run, but one that was interrupted
            does not continue under another arithmetic.
    """

    condition: str
    seed: int
    settings: Mapping[str, str]
    data: str
    device: str
    engine: str
    versions: Mapping[str, str]
    code: str
    arithmetic: Mapping[str, str]

    @property
    def key(self) -> str:
        """32 hexadecimal digits over everything but the arithmetic."""
        content = {name: value for name, value in asdict(self).items() if name != "arithmetic"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    def changes(self, now: "Identity") -> list[str]:
        """Return what differs from the identity of the same run `now`, such as "keras 3.14 -> 3.15"."""
        found = []
        if self.code != now.code:
            found.append(f"training code {self.code[:8]} -> {now.code[:8]}")
        if self.data != now.data:
            found.append("other data")
        parts = ["versions", "settings"]
        if self.device != now.device:
            found.append(f"device {self.device} -> {now.device}")
        else:  # it includes the engine
            parts.append("arithmetic")
        for part in parts:
            found += _differences(getattr(self, part), getattr(now, part))
        return found


def identify(run: PlannedRun, data: DataFingerprint, device: DeviceInfo, engine: str) -> Identity:
    """Return the identity of `run` on these data, on this device and with this engine."""
    from dropout_lab.models.architecture import network_code  # not above: they start TensorFlow
    from dropout_lab.training.devices import arithmetic

    settings = replace(run, network_code=network_code(run.settings.model)).params
    return Identity(
        condition=run.condition,
        seed=run.seed,
        settings={key: value for key, value in settings.items() if not key.startswith(_RESOLVED_ELSEWHERE)}
        | data_code(data),
        data=data.digest,
        device=device_kind(device.device),
        engine=engine,
        versions=package_versions(),
        code=training_code(),
        arithmetic=arithmetic(device, engine),
    )


def data_code(data: DataFingerprint) -> dict[str, str]:
    """Return the fingerprint of the user's code that returned the data as a setting; empty without any."""
    return {"data.code": data.code} if data.code else {}


def other_arithmetic(finished: RunRecord, now: Identity) -> list[str]:
    """Return what of the arithmetic of a finished run differs from that of the same run `now`."""
    recorded = {
        "GPU": finished.device_name,
        "threads": finished.num_threads,
        "instruction set": finished.instruction_set,
        "oneDNN": finished.onednn,
    }
    before = {name: recorded.get(name) or value for name, value in now.arithmetic.items()}
    return _differences(before, now.arithmetic)


@cache
def package_versions() -> dict[str, str]:
    """Return the installed versions of `RESULT_PACKAGES`."""
    return {package: version(package) for package in RESULT_PACKAGES}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys([*before, *after])
    return [
        f"{name} {before.get(name, 'unknown')} -> {after.get(name, 'unknown')}"
        for name in names
        if before.get(name) != after.get(name)
    ]
