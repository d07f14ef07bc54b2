"""Devices are found, and missing ones are told; TensorFlow's logical devices stand in for GPUs."""

import subprocess
import sys

import pytest

from dropout_lab.errors import DeviceError
from dropout_lab.learning.devices import resolve_device


@pytest.mark.parametrize("requested", ["auto", "cpu"])
def test_without_a_gpu_the_cpu_is_taken(requested: str) -> None:
    device = resolve_device(requested)
    assert device.device == "/CPU:0"
    assert device.device_name
    assert device.num_threads >= 1
    assert device.precision == "float32"


@pytest.mark.parametrize("requested", ["gpu", "gpu:0", "gpu:1"])
def test_a_missing_gpu_is_an_error_that_lists_what_there_is(requested: str) -> None:
    with pytest.raises(DeviceError, match=rf"\(cpu\), received '{requested}'"):
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
    with pytest.raises(DeviceError, match=r"\(cpu, gpu:0, gpu:1\), received 'gpu:2'"):
        resolve_device("gpu:2")


def test_logical_cpus_are_devices_of_tensorflow() -> None:
    """Two logical CPUs, made in a process of its own because TensorFlow fixes its devices at first use."""
    code = """
import tensorflow as tf
from dropout_lab.learning.devices import resolve_device
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.device(resolve_device("auto").device):
    print(tf.constant(1.0).device)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("device:CPU:0")
