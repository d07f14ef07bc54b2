"""Which hardware a run trains on."""

import platform
from pathlib import Path

import keras
import tensorflow as tf

from dropout_lab.errors import DeviceError
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
    return DeviceInfo(
        device=name.removeprefix("/device:").join(["/", ""]) if name.startswith("/device:") else name,
        device_name=_gpu_name(int(index or 0)) if kind == "gpu" else _cpu_name(),
        num_threads=tf.config.threading.get_intra_op_parallelism_threads() or _available_cpus(),
        precision=precision,
    )


def set_precision(precision: str) -> None:
    """Make `precision` the dtype policy of the layers that are built from here on."""
    keras.config.set_dtype_policy(precision)


def _spec_name(tensorflow_name: str) -> str:
    kind, index = tensorflow_name.removeprefix("/device:").lower().split(":")
    return kind if kind == "cpu" and index == "0" else f"{kind}:{index}"


def _gpu_name(index: int) -> str:
    physical = tf.config.list_physical_devices("GPU")
    if index >= len(physical):
        return "logical GPU"
    return str(tf.config.experimental.get_device_details(physical[index]).get("device_name", "GPU"))


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _available_cpus() -> int:
    import psutil

    return len(psutil.Process().cpu_affinity()) if platform.system() == "Linux" else psutil.cpu_count() or 1
