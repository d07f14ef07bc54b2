"""The CPUs that this process may use; needs no TensorFlow."""

import platform


def available_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    import psutil

    return len(psutil.Process().cpu_affinity()) if platform.system() == "Linux" else psutil.cpu_count() or 1
