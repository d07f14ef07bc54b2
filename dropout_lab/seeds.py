"""Named random streams: every random choice of a run has a seed of its own, derived from the run's seed.

A stream depends on nothing but the run's seed and its name, so that adding a layer or changing a rate
moves no other stream: the reason why conditions at one seed are matched twins.
"""

import hashlib

import numpy as np


def derive_seed(run_seed: int, *names: str | int) -> int:
    """Return the seed, in [0, 2**31), of the stream called `names` in the run of `run_seed`.

    Args:
        run_seed: The seed of the run, any non-negative integer.
        names: What the stream is for, from the general to the particular, such as ``"mask", "dropout_1"``.
    """
    text = "/".join(str(part) for part in (run_seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(run_seed: int, *names: str | int) -> np.random.Generator:
    """Return NumPy's generator for the stream called `names` in the run of `run_seed`."""
    return np.random.default_rng(derive_seed(run_seed, *names))
