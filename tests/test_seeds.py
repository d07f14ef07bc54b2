import hashlib

import numpy as np
import pytest

from dropout_lab.seeds import derive_seed, generator

NAMES = [("init", "conv2d"), ("init", "dense"), ("mask", "dropout"), ("mask", "dropout_1"), ("shuffle", 0)]


def test_a_seed_is_31_bits_of_the_sha256_of_the_run_seed_and_the_names():
    digest = int(hashlib.sha256(b"3/mask/dropout_1").hexdigest()[:8], 16)
    assert derive_seed(3, "mask", "dropout_1") == digest // 2


@pytest.mark.parametrize("run_seed", [0, 1, 2**31 - 1])
def test_streams_and_run_seeds_have_seeds_of_their_own(run_seed):
    seeds = {derive_seed(seed, *names) for names in NAMES for seed in (run_seed, run_seed + 1)}
    assert len(seeds) == 2 * len(NAMES)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_generator_draws_the_same_again_and_is_uncorrelated_with_others():
    draws = [generator(0, *names).standard_normal(10_000) for names in NAMES]
    np.testing.assert_array_equal(draws[0], generator(0, *NAMES[0]).standard_normal(10_000))
    others = np.corrcoef(draws)[np.triu_indices(len(NAMES), k=1)]
    assert np.abs(others).max() < 4 / np.sqrt(10_000)  # 4 standard errors
