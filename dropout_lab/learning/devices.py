"""Which hardware a run trains on."""

import platform
from typing import Any

import keras
import tensorflow as tf

from dropout_lab.errors import DeviceError
from dropout_lab.learning.processor import cpu_name, instruction_set, onednn
from dropout_lab.records import DeviceInfo


def resolve_device(requested: str, precision: str = "float32") -> DeviceInfo:
    """Find the device that a spec asks for.

    Args:
        requested: ``auto`` (the first GPU, else the CPU), ``cpu``, ``gpu`` or ``gpu:N``.
        precision: Keras' dtype policy, recorded with the device.

    Raises:
        DeviceError: If the device is not there; the message lists those that are.
    """
    gpus = tf.config.list_logical_devices("GPU")
    cpus = tf.config.list_logical_devices("CPU")
    kind, _, index = requested.partition(":")
    if kind == "auto":
        kind = "gpu" if gpus else "cpu"
    found = {"cpu": cpus, "gpu": gpus}.get(kind, [])
    if int(index or 0) >= len(found):
        there = ", ".join(_spec_name(device.name) for device in [*cpus, *gpus])
        raise DeviceError(
            f"[device] expected a device that is there ({there}), received {requested!r}",
            hint="Use --device auto, or install GPU support: pip install 'dropout_lab[gpu]'.",
        )
    name = found[int(index or 0)].name
    details = _gpu_details(int(index or 0)) if kind == "gpu" else {}
    capability = ".".join(str(part) for part in details.get("compute_capability", ()))
    return DeviceInfo(
        device=name.removeprefix("/device:").join(["/", ""]) if name.startswith("/device:") else name,
        device_name=str(details.get("device_name", "GPU")) if kind == "gpu" else cpu_name(),
        num_threads=tf.config.threading.get_intra_op_parallelism_threads() or _available_cpus(),
        precision=precision,
        instruction_set=f"compute capability {capability}" if kind == "gpu" else instruction_set(),
        onednn=onednn(),
    )


def set_precision(precision: str) -> None:
    """Make `precision` the dtype policy of the layers that are built from here on."""
    keras.config.set_dtype_policy(precision)


def _spec_name(tensorflow_name: str) -> str:
    kind, index = tensorflow_name.removeprefix("/device:").lower().split(":")
    return kind if kind == "cpu" and index == "0" else f"{kind}:{index}"


def _gpu_details(index: int) -> dict[str, Any]:
    physical = tf.config.list_physical_devices("GPU")
    details: dict[str, Any] = {}
    if index < len(physical):
        details = tf.config.experimental.get_device_details(physical[index])
    return details


def _available_cpus() -> int:
    import psutil

    return len(psutil.Process().cpu_affinity()) if platform.system() == "Linux" else psutil.cpu_count() or 1
