"""What the bits of a result depend on in a processor: its instruction set, and whether oneDNN computes.

Both also decide in which precisions it computes, and how fast.
"""

import functools
import os
import platform
from collections.abc import Mapping, Set
from pathlib import Path

import numpy as np
import tensorflow as tf

CPUINFO = Path("/proc/cpuinfo")

INSTRUCTION_SETS: Mapping[str, Set[str]] = {
    "SSE41": {"sse4_1"},
    "AVX": {"avx"},
    "AVX2": {"avx2"},
    "AVX512": {"avx512f", "avx512bw", "avx512vl", "avx512dq"},
    "AVX512_VNNI": {"avx512_vnni"},
    "AVX512_BF16": {"avx512_bf16"},
    "AVX512_FP16": {"avx512_fp16"},
    "AVX512_AMX": {"amx_tile", "amx_bf16", "amx_int8"},
}
"""The flags in /proc/cpuinfo that each instruction set adds to the one before, in oneDNN's order."""

CAPS = {
    "AVX2_VNNI": "AVX2",
    "AVX2_VNNI_2": "AVX2",
    "AVX10_1_512": "AVX512_FP16",
    "AVX10_1_512_AMX": "AVX512_AMX",
}
"""Values of ONEDNN_MAX_CPU_ISA under other names than those of `INSTRUCTION_SETS`."""

REQUIRED = {"mixed_bfloat16": "AVX512", "mixed_float16": "AVX512_FP16"}
"""The instruction set from which TensorFlow leaves a precision to oneDNN, and oneDNN computes it."""


def instruction_set() -> str:
    """Return the instruction set that oneDNN uses, such as ``AVX2``.

    If ONEDNN_MAX_CPU_ISA limits it, the processor's own follows, because Eigen and XLA still use that:
    ``AVX2 (processor: AVX512_BF16)``. Processors of other kinds give their architecture, such as ``arm64``.
    """
    return effective_instruction_set(_cpu_flags(), os.environ) or platform.machine()


def effective_instruction_set(flags: Set[str], environment: Mapping[str, str]) -> str:
    """Return the instruction set for a processor with `flags`, or an empty string if they name none.

    Args:
        flags: Features of the processor, as /proc/cpuinfo spells them.
        environment: Environment variables.
    """
    own, used = _own_and_used(flags, environment)
    return own if used == own else f"{used} (processor: {own})"


def slow_bfloat16() -> str:
    """Return why products in bfloat16 are slower here than in float32, or an empty string if they are not."""
    _, used = _own_and_used(_cpu_flags(), os.environ)
    if _rank(used) < _rank("AVX512_BF16"):
        return f"needs AVX512-BF16 or AMX instructions for bfloat16 (instruction set: {instruction_set()})"
    return "" if onednn() == "on" else "needs oneDNN for bfloat16 (TF_ENABLE_ONEDNN_OPTS=0 disables it)"


def is_capped_below(precision: str) -> bool:
    """Return whether ONEDNN_MAX_CPU_ISA keeps TensorFlow from computing in a Keras dtype policy.

    TensorFlow asks the processor whether to leave a product to oneDNN, which asks the variable whether it may
    compute it. Where the answers differ, products fail or end the process (seen in TensorFlow 2.21).
    """
    own, used = _own_and_used(_cpu_flags(), os.environ)
    required = _rank(REQUIRED.get(precision, ""))
    return _rank(used) < required <= _rank(own) and onednn() == "on"


def _own_and_used(flags: Set[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the instruction sets of the processor and of oneDNN, each an empty string if there is none."""
    own = ""
    for name, added in INSTRUCTION_SETS.items():
        if not added <= flags:
            break
        own = name
    given = environment.get("ONEDNN_MAX_CPU_ISA", environment.get("DNNL_MAX_CPU_ISA", "")).strip().upper()
    cap = CAPS.get(given, given.replace("_CORE", ""))
    return own, cap if -1 < _rank(cap) < _rank(own) else own


def _rank(name: str) -> int:
    """Return the position of an instruction set, or -1 if it is none of `INSTRUCTION_SETS`."""
    return list(INSTRUCTION_SETS).index(name) if name in INSTRUCTION_SETS else -1


@functools.cache
def onednn() -> str:
    """Return ``on`` if TensorFlow computes with oneDNN on this processor, else ``off``.

    TF_ENABLE_ONEDNN_OPTS and the default, which depends on the processor, decide it when TensorFlow is
    imported. TensorFlow has no public function that tells, so this looks at the kernels of a convolution.
    """
    with tf.Graph().as_default(), tf.device("/CPU:0"), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, (1, 8, 8, 4))
        features = tf.nn.conv2d(images, tf.ones((3, 3, 4, 8)), 1, "SAME")
        metadata = tf.compat.v1.RunMetadata()
        session.run(
            features,
            {images: np.zeros(images.shape, np.float32)},
            options=tf.compat.v1.RunOptions(output_partition_graphs=True),
            run_metadata=metadata,
        )
    kernels = [node.op for graph in metadata.partition_graphs for node in graph.node]
    return "on" if any(kernel.startswith("_Mkl") for kernel in kernels) else "off"


def cpu_name() -> str:
    """Return what the processor calls itself."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpu_flags() -> Set[str]:
    return set(_cpuinfo("flags").split())


def _cpuinfo(key: str) -> str:
    """Return the first value of `key` in /proc/cpuinfo, or an empty string if there is none."""
    if not CPUINFO.exists():
        return ""
    for line in CPUINFO.read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
