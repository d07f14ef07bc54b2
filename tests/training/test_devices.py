"""Devices are found, and missing ones are named; TensorFlow's logical devices stand in for GPUs."""

import os
import subprocess
import sys
from dataclasses import replace

import keras
import pytest

from dropout_lab.errors import DeviceError, UsageError
from dropout_lab.records import DeviceInfo
from dropout_lab.training.devices import (
    ARITHMETIC_VARIABLES,
    arithmetic,
    configure_keras,
    make_deterministic,
    num_threads,
    resolve_device,
    use_threads,
)

CPU = DeviceInfo(
    device="/CPU:0",
    device_name="some processor",
    num_threads=2,
    precision="float32",
    instruction_set="AVX2",
    onednn="on",
)
GPU = replace(CPU, device="/GPU:0", device_name="some GPU", instruction_set="compute capability 9.0")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*ARITHMETIC_VARIABLES, "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("requested", ["auto", "cpu"])
def test_without_a_gpu_the_cpu_is_taken(requested: str) -> None:
    device = resolve_device(requested)
    assert device.device == "/CPU:0"
    assert device.device_name
    assert device.num_threads >= 1
    assert device.precision == "float32"


@pytest.mark.parametrize("requested", ["gpu", "gpu:0", "gpu:1", "gpus"])
def test_a_missing_gpu_is_an_error_that_lists_what_there_is(requested: str) -> None:
    with pytest.raises(DeviceError, match=rf"device '{requested}' not available \(available: cpu\)"):
        resolve_device(requested)


def test_auto_takes_the_first_gpu_and_gpu_n_the_nth(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    class Logical:
        def __init__(self, name: str) -> None:
            self.name = name

    there = {"CPU": [Logical("/device:CPU:0")], "GPU": [Logical("/device:GPU:0"), Logical("/device:GPU:1")]}
    monkeypatch.setattr(tf.config, "list_logical_devices", there.__getitem__)
    assert resolve_device("auto").device == "/GPU:0"
    assert resolve_device("gpu:1").device == "/GPU:1"
    assert resolve_device("cpu").device == "/CPU:0"
    assert resolve_device("gpus").devices == ("/GPU:0", "/GPU:1")
    assert resolve_device("gpus").device_name == "2 x GPU"
    with pytest.raises(DeviceError, match=r"'gpu:2' not available \(available: cpu, gpu:0, gpu:1\)"):
        resolve_device("gpu:2")


def test_logical_cpus_are_devices_of_tensorflow() -> None:
    """Two logical CPUs, made in a process of its own because TensorFlow fixes its devices at first use."""
    code = """
import tensorflow as tf
from dropout_lab.training.devices import resolve_device
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.device(resolve_device("auto").device):
    print(tf.constant(1.0).device)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("device:CPU:0")


TRAIN = """
import os, sys
cpus, threads, how = sys.argv[1:]
if int(cpus):
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:int(cpus)])
from dropout_lab.data.selection import load_data
from dropout_lab.training.devices import resolve_device, use_threads
if how == "function":
    use_threads(int(threads))
from dropout_lab.training.trainer import Trainer
from dropout_lab.training.loop import Progress
from dropout_lab.spec import DataSpec, Settings
settings = Settings.model_validate({"model": {"dropout": 0.2}, "training": {"epochs": 1, "batch_size": 120}})
data = load_data(DataSpec(num_train=240, num_test=20))
for engine in ("fast", "stock"):
    device = resolve_device("cpu")
    assert device.num_threads == int(threads)
    trainer = Trainer(settings, data, 0, device, engine)
    trainer.train(Progress(), lambda progress: None)
    print(trainer.weights_fingerprint(), trainer.evaluate()[0].measures['loss'])
"""


def train(num_cpus: int, threads: int, how: str) -> list[str]:
    environment = {**os.environ, **({"TF_NUM_INTRAOP_THREADS": str(threads)} if how == "variable" else {})}
    arguments = [str(num_cpus), str(threads), how]
    result = subprocess.run(
        [sys.executable, "-c", TRAIN, *arguments], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="needs a system that limits processes to CPUs"
)
def test_bits_depend_on_the_number_of_threads_and_not_on_the_cpus() -> None:
    expected = train(0, 2, "function")
    assert train(1, 2, "function") == expected
    assert train(1, 2, "variable") == expected


def test_threads_that_tensorflow_uses_already_can_be_asked_for_again() -> None:
    used = num_threads()
    use_threads(used)
    with pytest.raises(DeviceError, match=rf"already uses {used} threads \(required: {used + 1}\)") as raised:
        use_threads(used + 1)
    assert f"TF_NUM_INTRAOP_THREADS={used + 1}" in str(raised.value)


@pytest.mark.parametrize(("value", "is_used"), [("3", True), ("0", False), ("", False), ("many", False)])
def test_threads_of_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, is_used: bool) -> None:
    monkeypatch.setattr("tensorflow.config.threading.get_intra_op_parallelism_threads", lambda: 0)
    default = num_threads()
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", value)
    assert num_threads() == (3 if is_used else default)


def test_arithmetic_of_a_cpu() -> None:
    assert arithmetic(CPU, "fast") == {
        "engine": "fast",
        "precision": "float32",
        "threads": "2",
        "oneDNN": "on",
        "instruction set": "AVX2",
    }
    assert arithmetic(replace(CPU, device_name="other"), "fast") == arithmetic(CPU, "fast")


def test_arithmetic_of_a_gpu_has_neither_its_index_nor_threads_of_the_cpu() -> None:
    assert arithmetic(GPU, "stock")["GPU"] == "some GPU"
    same = replace(GPU, device="/GPU:3", num_threads=16, onednn="off")
    assert arithmetic(same, "stock") == arithmetic(GPU, "stock")
    assert arithmetic(replace(GPU, device_name="other"), "stock") != arithmetic(GPU, "stock")


@pytest.mark.parametrize("variable", ARITHMETIC_VARIABLES)
def test_arithmetic_names_variables_that_change_it(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "something")
    assert arithmetic(CPU, "fast")[variable] == "something"


def test_only_a_gpu_is_restricted_to_deterministic_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(
        "tensorflow.config.experimental.enable_op_determinism", lambda: calls.append("enabled")
    )
    make_deterministic(CPU)
    assert not calls
    make_deterministic(GPU)
    assert calls


def test_the_defaults_of_keras_are_restored() -> None:
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(0.1)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    configure_keras("float32")
    layer = keras.layers.Conv2D(1, 3)
    assert (layer.data_format, layer.compute_dtype, layer.variable_dtype) == (
        "channels_last",
        "float32",
        "float32",
    )
    assert keras.config.epsilon() == 1e-7


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is planted, because other backends need packages that are not installed."""
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UsageError, match=r"Keras uses the backend 'jax' \(supported: tensorflow\)"):
        configure_keras("float32")
