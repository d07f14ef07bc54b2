"""Entropy and mutual information, on numbers small enough to compute by hand."""

import math

import numpy as np
import pytest
import scipy.stats

from dropout_lab.evaluation.uncertainty import MonteCarlo, entropy


def test_entropy_agrees_with_scipy() -> None:
    probs = np.random.default_rng(0).dirichlet([0.3] * 5, 20)
    np.testing.assert_allclose(entropy(probs), scipy.stats.entropy(probs, axis=1))
    assert entropy(np.array([[1.0, 0.0]])).tolist() == [0]


def test_samples_that_contradict_each_other_have_mutual_information() -> None:
    agree, contradict = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
    samples = np.array([agree, contradict]).transpose(1, 0, 2)  # 2 samples of 2 examples
    summary = MonteCarlo.of_samples(samples)
    np.testing.assert_allclose(summary.probs, 0.5)
    assert summary.entropy == pytest.approx([math.log(2)] * 2)
    assert summary.mutual_information == pytest.approx([0, math.log(2)])


def test_rounding_makes_no_mutual_information_negative() -> None:
    probs = np.array([[0.7, 0.3]], dtype=np.float32)
    assert MonteCarlo(probs, entropy(probs) + 1e-7).mutual_information.tolist() == [0]
