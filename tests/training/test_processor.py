"""The effective instruction set, from flags and caps, and what TensorFlow resolved for oneDNN."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable

import pytest

from dropout_lab.errors import DeviceError
from dropout_lab.training import processor
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.processor import (
    INSTRUCTION_SETS,
    cpu_name,
    effective_instruction_set,
    instruction_set,
)

ALL_FLAGS = frozenset().union(*INSTRUCTION_SETS.values())


def flags_of(name: str) -> set[str]:
    names = list(INSTRUCTION_SETS)
    return set().union(*(INSTRUCTION_SETS[one] for one in names[: names.index(name) + 1]))


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_each_instruction_set_is_recognized(name: str) -> None:
    assert effective_instruction_set(flags_of(name), {}) == name


def test_a_processor_with_a_part_of_an_instruction_set_has_the_one_before() -> None:
    assert effective_instruction_set(flags_of("AVX2") | {"avx512f"}, {}) == "AVX2"
    assert effective_instruction_set(flags_of("AVX2") | {"avx512_bf16"}, {}) == "AVX2"


@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ("SSE41", "SSE41 (processor: AVX512_AMX)"),
        ("avx2", "AVX2 (processor: AVX512_AMX)"),
        ("AVX2_VNNI_2", "AVX2 (processor: AVX512_AMX)"),
        ("AVX512_CORE", "AVX512 (processor: AVX512_AMX)"),
        ("AVX512_CORE_BF16", "AVX512_BF16 (processor: AVX512_AMX)"),
        ("AVX10_1_512", "AVX512_FP16 (processor: AVX512_AMX)"),
        ("AVX512_CORE_AMX", "AVX512_AMX"),
        ("ALL", "AVX512_AMX"),
        ("DEFAULT", "AVX512_AMX"),
        ("", "AVX512_AMX"),
        ("nonsense", "AVX512_AMX"),
    ],
)
def test_a_cap_limits_it_as_in_onednn(variable: str, cap: str, expected: str) -> None:
    assert effective_instruction_set(ALL_FLAGS, {variable: cap}) == expected


def test_a_cap_above_the_processor_changes_nothing() -> None:
    assert effective_instruction_set(flags_of("AVX2"), {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}) == "AVX2"


def test_processors_of_other_kinds_have_none() -> None:
    assert effective_instruction_set({"asimd", "fp"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}) == ""
    assert instruction_set()
    assert cpu_name()


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plant a processor, a cap, and whether oneDNN computes."""

    def plant(own: str, cap: str = "", onednn: str = "on") -> None:
        monkeypatch.setattr(processor, "_cpu_flags", lambda: flags_of(own))
        monkeypatch.setattr(processor, "onednn", lambda: onednn)
        monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", cap)

    return plant


def test_bfloat16_is_slow_without_its_instructions_or_onednn(plant: Callable[..., None]) -> None:
    for own in ("AVX512_BF16", "AVX512_FP16", "AVX512_AMX"):
        plant(own)
        assert processor.slow_bfloat16() == ""
    plant("AVX2")
    assert "(instruction set: AVX2)" in processor.slow_bfloat16()
    plant("AVX512_AMX", cap="AVX512_CORE_VNNI")
    assert "(instruction set: AVX512_VNNI (processor: AVX512_AMX))" in processor.slow_bfloat16()
    plant("AVX512_AMX", onednn="off")
    assert "needs oneDNN" in processor.slow_bfloat16()


def test_a_cap_below_what_a_precision_needs_is_refused(plant: Callable[..., None]) -> None:
    plant("AVX512_AMX", cap="AVX2")
    for precision in ("mixed_bfloat16", "mixed_float16"):
        with pytest.raises(DeviceError, match=r"AVX2 \(processor: AVX512_AMX\)") as raised:
            resolve_device("cpu", precision)
        assert "Unset ONEDNN_MAX_CPU_ISA" in str(raised.value)
    assert resolve_device("cpu", "float32").instruction_set.startswith("AVX2")
    plant("AVX512_AMX", cap="AVX512_CORE")
    resolve_device("cpu", "mixed_bfloat16")
    with pytest.raises(DeviceError):
        resolve_device("cpu", "mixed_float16")


@pytest.mark.parametrize(("own", "cap", "onednn"), [("AVX512_AMX", "AVX2", "off"), ("AVX2", "SSE41", "on")])
def test_a_cap_is_harmless_where_onednn_would_not_compute(
    plant: Callable[..., None], own: str, cap: str, onednn: str
) -> None:
    plant(own, cap, onednn)
    assert resolve_device("cpu", "mixed_bfloat16").precision == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", "off"),
        pytest.param(
            "1",
            "on",
            marks=pytest.mark.skipif(
                platform.machine() != "x86_64", reason="TensorFlow has oneDNN on x86-64 processors"
            ),
        ),
    ],
)
def test_onednn_is_what_tensorflow_resolved(value: str, expected: str) -> None:
    """In a process of its own, because TensorFlow reads the variable once."""
    code = """
from dropout_lab.training.processor import onednn
from dropout_lab.training.devices import resolve_device
assert resolve_device("cpu").onednn == onednn()
print(onednn())
"""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": value}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.strip() == expected
