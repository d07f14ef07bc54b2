"""The hardware that a run trains on, and what the bits of its result depend on."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from dropout_lab.errors import DeviceError, OutOfMemoryError, UsageError
from dropout_lab.records import DeviceInfo
from dropout_lab.training.cpus import available_cpus
from dropout_lab.training.processor import cpu_name, instruction_set, is_capped_below, onednn

ARITHMETIC_VARIABLES = (
    "XLA_FLAGS",
    "TF_XLA_FLAGS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_DEFAULT_FPMATH_MODE",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "NVIDIA_TF32_OVERRIDE",
)
"""Environment variables that can change the bits of a result."""


def resolve_device(requested: str, precision: str = "float32") -> DeviceInfo:
    """Find the device that a spec asks for.

    Args:
        requested: ``auto`` (the first GPU, else the CPU), ``cpu``, ``gpu``, ``gpu:N``, or ``gpus`` (all).
        precision: Keras dtype policy, recorded with the device.

    Raises:
        DeviceError: If the device is not available (the message lists those that are), or cannot compute in
            `precision`.
    """
    gpus = tf.config.list_logical_devices("GPU")
    cpus = tf.config.list_logical_devices("CPU")
    kind, _, index = requested.partition(":")
    if kind == "auto":
        kind = "gpu" if gpus else "cpu"
    found = {"cpu": cpus, "gpu": gpus, "gpus": gpus}.get(kind, [])
    used = found if kind == "gpus" else found[int(index or 0) :][:1]
    if not used:
        available = ", ".join(_spec_name(device.name) for device in [*cpus, *gpus])
        raise DeviceError(
            f"device {requested!r} not available (available: {available})",
            hint="Use --device auto, or add GPU support: `pip install -c constraints.txt -e '.[gpu]'`.",
        )
    if kind == "cpu" and is_capped_below(precision):
        raise DeviceError(
            f"training.precision: {precision} not possible under ONEDNN_MAX_CPU_ISA: {instruction_set()}",
            hint="Unset ONEDNN_MAX_CPU_ISA, or set TF_ENABLE_ONEDNN_OPTS=0.",
        )
    if kind == "cpu":
        device_name, instructions = cpu_name(), instruction_set()
    else:
        details = [_gpu_details(found.index(one)) for one in used]
        device_name = _counted(str(one.get("device_name", "GPU")) for one in details)
        capabilities = [".".join(map(str, one.get("compute_capability", ()))) for one in details]
        instructions = f"compute capability {', '.join(dict.fromkeys(capabilities))}"
    return DeviceInfo(
        device=",".join(one.name.replace("/device:", "/", 1) for one in used),
        device_name=device_name,
        num_threads=num_threads(),
        precision=precision,
        instruction_set=instructions,
        onednn=onednn(),
    )


def num_threads() -> int:
    """Return how many threads TensorFlow uses for one operation.

    It is what `use_threads` set, else TF_NUM_INTRAOP_THREADS, else the CPUs that the process may use.
    """
    given = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return (
        tf.config.threading.get_intra_op_parallelism_threads()
        or (int(given) if given.isdecimal() else 0)
        or available_cpus()
    )


def use_threads(count: int) -> None:
    """Compute with `count` threads, whatever CPUs the process may use.

    The bits of a result depend on the number of threads, but not on the CPUs that run them: a run that was
    started with 2 threads continues to the same weights on 1 CPU if it still uses 2.

    Raises:
        DeviceError: If TensorFlow has already started with another number.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        if num_threads() != count:
            raise DeviceError(
                f"TensorFlow already uses {num_threads()} threads (required: {count})",
                hint=f"Set TF_NUM_INTRAOP_THREADS={count} and repeat the command.",
            ) from None


def arithmetic(device: DeviceInfo, engine: str) -> dict[str, str]:
    """Return everything about hardware and settings that the bits of a result depend on.

    Equal spec, seed, code, data and package versions give equal weights wherever this is equal. It holds
    neither the index of a GPU nor the name of a CPU.

    Args:
        device: Device of the run.
        engine: Name of its engine.

    Returns:
        Values by name, such as ``{"threads": "2", "instruction set": "AVX2", ...}``.
    """
    found = {"engine": engine, "precision": device.precision}
    if is_gpu(device):
        found |= {"GPU": device.device_name}
    else:
        # Gradients of convolution kernels are summed in as many parts as there are threads.
        found |= {"threads": str(device.num_threads), "oneDNN": device.onednn}
    found["instruction set"] = device.instruction_set
    return found | {name: os.environ[name] for name in ARITHMETIC_VARIABLES if os.environ.get(name)}


def configure_keras(precision: str) -> None:
    """Set the defaults of Keras, and `precision` as the dtype policy of layers built from here on.

    The user's ``keras.json`` would otherwise change the arithmetic or the image layout.

    Raises:
        UsageError: If the process imported Keras with another backend before.
    """
    if keras.config.backend() != "tensorflow":
        raise UsageError(
            f"Keras uses the backend {keras.config.backend()!r} (supported: tensorflow)",
            hint="Set KERAS_BACKEND=tensorflow before Keras is imported.",
        )
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy(precision)


def is_gpu(device: DeviceInfo) -> bool:
    """Return whether `device` is a GPU."""
    return "GPU" in device.device.upper()


def make_deterministic(device: DeviceInfo) -> None:
    """Make equal runs on `device` give equal bits.

    CPUs do so anyway. On a GPU, TensorFlow is restricted to deterministic operations, for the rest of the
    process: equal runs on the same model of GPU, with the same versions of its libraries, then give equal
    weights. Another model may give other bits.
    """
    if is_gpu(device):
        tf.config.experimental.enable_op_determinism()


def keras_settings() -> dict[str, str]:
    """Return the settings of Keras that a user's environment can change."""
    return {
        "backend": keras.config.backend(),
        "image data format": keras.config.image_data_format(),
        "float type": keras.config.floatx(),
    }


def _spec_name(tensorflow_name: str) -> str:
    kind, index = tensorflow_name.removeprefix("/device:").lower().split(":")
    return kind if kind == "cpu" and index == "0" else f"{kind}:{index}"


def _gpu_details(index: int) -> dict[str, Any]:
    physical = tf.config.list_physical_devices("GPU")
    details: dict[str, Any] = {}
    if index < len(physical):
        details = tf.config.experimental.get_device_details(physical[index])
    return details


def _counted(names: Iterable[str]) -> str:
    """Return ``NVIDIA H100``, or ``2 x NVIDIA H100`` for two of them."""
    counts = Counter(names).items()
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts)


@contextmanager
def computing_on(device: str, shown: str, hint: str) -> Iterator[None]:
    """Compute on a device inside this context.

    Args:
        device: The device, as TensorFlow names it.
        shown: Its name in messages.
        hint: What to do if its memory is not enough.

    Raises:
        OutOfMemoryError: If its memory is not enough.
    """
    try:
        with tf.device(device):
            yield
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise OutOfMemoryError(f"Out of memory on {shown}.", hint=hint) from None
