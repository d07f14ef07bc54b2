"""Named random streams: every random choice of a run has its own seed, derived from the run's seed.

A stream depends only on the run's seed and its name. Adding a layer or changing a rate changes no other
stream, so conditions with the same seed are matched.
"""

import hashlib

import numpy as np


def derive_seed(run_seed: int, *names: str | int) -> int:
    """Return the seed, in [0, 2**31), of the stream called `names` in the run with `run_seed`.

    Args:
        run_seed: The seed of the run, any non-negative integer.
        names: Purpose of the stream, from general to particular, such as ``"mask", "dropout_1"``.
    """
    text = "/".join(str(part) for part in (run_seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(run_seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for the stream called `names` in the run with `run_seed`."""
    return np.random.default_rng(derive_seed(run_seed, *names))
