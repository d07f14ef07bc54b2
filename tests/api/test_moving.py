"""A trained experiment elsewhere: imported, or in a folder that was moved."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.data.fashion_mnist import read_source
from dropout_lab.reporting.data import json_value
from dropout_lab.tracking import find_model, find_run


def numbers(experiment: str) -> Any:
    """What `compare` says, without the ids of runs."""
    found = json_value(dl.compare(experiment).comparison)
    return {name: found[name] for name in ("differences", "verdicts", "claims")}


@pytest.mark.slow
def test_an_imported_experiment_compares_and_predicts_alike(
    in_trained: Any, subset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = read_source(subset).test_inputs[:10]
    compared, probs = numbers("tiny"), dl.predict("half-seed1", images).probs
    dl.export_experiment("tiny", tmp_path / "exported")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert len(dl.import_experiment(tmp_path / "exported").run_ids) == 5  # and their study
    assert numbers("tiny") == compared
    np.testing.assert_array_equal(dl.predict("half-seed1", images).probs, probs)
    dl.promote("half-seed1", name="clothes")
    np.testing.assert_array_equal(dl.predict("clothes@champion", images).probs, probs)
    again = dl.run(in_trained.spec, progress=False)
    assert all(outcome.was_finished for outcome in again.report.outcomes)
    with pytest.raises(dl.DropoutLabError, match="in use as clothes@champion"):
        dl.delete("tiny")
    dl.delete("half-seed0")
    assert len(dl.load_runs("tiny")) == 3


@pytest.mark.slow
def test_a_project_that_was_moved_goes_on_in_its_new_folder(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subset: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second place"
    shutil.copytree(trained.folder, first)
    monkeypatch.chdir(first)
    dl.promote("half-seed0", name="clothes")
    compared = numbers("tiny")
    first.rename(second)
    monkeypatch.chdir(second)
    assert numbers("tiny") == compared
    assert dl.compare("tiny").predictions  # artifacts
    images = read_source(subset).test_inputs[:3]
    assert dl.predict("clothes@champion", images).notes == ()
    again = dl.run(trained.spec, progress=False)
    assert all(outcome.was_finished for outcome in again.report.outcomes)
    new = dl.run(trained.spec, seeds=[7], overrides={"training.epochs": 1}, progress=False)
    for name in ("none-seed7", "none-seed0"):
        model = find_model(find_run(name))
        assert model is not None
        assert Path(model.address).is_relative_to(second)
        assert not model.is_missing
    assert len(new.report.outcomes) == 2
    assert not first.exists()
