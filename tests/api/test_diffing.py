"""`diff`: what two runs differ in, by the names that the commands take."""

from typing import Any

import pytest

import dropout_lab as dl


def test_two_conditions_differ_in_their_rate_and_results(in_trained: Any) -> None:
    changes = {(one.section, one.key): one for one in dl.diff("none-seed0", "tiny/half-seed0")}
    rate = changes["spec", "model.dropout.dense"]
    assert (rate.first, rate.second) == ("0.0", "0.5")
    assert changes["metrics", "test_loss"].difference != 0
    assert ("fingerprints", "initial_weights") not in changes
    assert dl.diff("half-seed0", "half-seed0") == ()


def test_an_unknown_run_is_named(in_trained: Any) -> None:
    with pytest.raises(dl.DropoutLabError, match="did you mean 'none-seed0'"):
        dl.diff("half-seed0", "non-seed0")
