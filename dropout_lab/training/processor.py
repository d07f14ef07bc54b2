"""What the bits of a result depend on in a processor: its instruction set, and whether oneDNN computes."""

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
    names = list(INSTRUCTION_SETS)
    own = ""
    for name in names:
        if not INSTRUCTION_SETS[name] <= flags:
            break
        own = name
    given = environment.get("ONEDNN_MAX_CPU_ISA", environment.get("DNNL_MAX_CPU_ISA", "")).strip().upper()
    cap = CAPS.get(given, given.replace("_CORE", ""))
    if not own or cap not in names or names.index(cap) >= names.index(own):
        return own
    return f"{cap} (processor: {own})"


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
