"""The effective instruction set, from flags and caps, and what TensorFlow resolved for oneDNN."""

import os
import platform
import subprocess
import sys

import pytest

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
