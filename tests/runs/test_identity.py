"""The identity of a run holds all that decides its weights, and nothing else."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import dropout_lab
from dropout_lab.records import DataFingerprint, DeviceInfo, RunRecord
from dropout_lab.runs.code import training_code
from dropout_lab.runs.identity import Identity, identify, other_arithmetic
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.spec import Settings

DATA = DataFingerprint(folder="/a", checksums={}, num_train=9, num_validation=3, num_test=3, digest="d")
CPU = DeviceInfo(
    device="/CPU:0",
    device_name="some CPU",
    num_threads=2,
    precision="float32",
    instruction_set="AVX2",
    onednn="on",
)
GPU = replace(CPU, device="/GPU:0", device_name="some GPU")
RUN = PlannedRun("baseline", 0, Settings(), Origin("study"))


def changed(**parts: dict[str, object]) -> PlannedRun:
    """Return the run with other values in parts of its settings."""
    update = {name: getattr(RUN.settings, name).model_copy(update=values) for name, values in parts.items()}
    return replace(RUN, settings=RUN.settings.model_copy(update=update))


def test_all_that_decides_the_weights_decides_the_key() -> None:
    identity = identify(RUN, DATA, CPU, "fast")
    others = [
        identify(replace(RUN, condition="dropout"), DATA, CPU, "fast"),
        identify(replace(RUN, seed=1), DATA, CPU, "fast"),
        identify(changed(training={"epochs": 11}), DATA, CPU, "fast"),
        identify(changed(model={"hidden_units": 8}), DATA, CPU, "fast"),
        identify(RUN, replace(DATA, digest="e"), CPU, "fast"),
        identify(RUN, DATA, GPU, "fast"),
        identify(RUN, DATA, CPU, "stock"),
        replace(identity, versions={**identity.versions, "numpy": "1.0"}),
        replace(identity, code="edited"),
    ]
    assert len({one.key for one in (identity, *others)}) == 1 + len(others)
    for other in others[2:]:
        assert len(identity.changes(other)) == 1


@pytest.mark.parametrize(
    "same",
    [
        identify(changed(data={"folder": "/b"}), replace(DATA, folder="/b"), CPU, "fast"),
        identify(changed(data={"num_train": 9}), DATA, CPU, "fast"),
        identify(changed(training={"engine": "fast"}), DATA, CPU, "fast"),
        identify(replace(RUN, settings=Settings(device="cpu")), DATA, CPU, "fast"),
        identify(replace(RUN, origin=Origin("renamed", "described", "# text")), DATA, CPU, "fast"),
    ],
)
def test_names_and_places_do_not_change_the_identity(same: Identity) -> None:
    identity = identify(RUN, DATA, CPU, "fast")
    assert same == identity
    assert identity.changes(same) == []


def test_any_gpu_of_a_kind_is_as_good_as_another() -> None:
    first = identify(RUN, DATA, GPU, "stock")
    assert first == identify(RUN, DATA, replace(GPU, device="/GPU:3"), "stock")
    other_model = identify(RUN, DATA, replace(GPU, device_name="another"), "stock")
    assert other_model.key == first.key
    assert first.changes(other_model) == ["GPU some GPU -> another"]


@pytest.mark.parametrize(
    ("device", "change"),
    [
        (replace(CPU, instruction_set="AVX512"), "instruction set AVX2 -> AVX512"),
        (replace(CPU, onednn="off"), "oneDNN on -> off"),
    ],
)
def test_another_arithmetic_is_the_same_run_but_not_the_same_bits(
    device: DeviceInfo, change: str, make_run: Callable[..., RunRecord]
) -> None:
    before, now = identify(RUN, DATA, CPU, "fast"), identify(RUN, DATA, device, "fast")
    assert before.key == now.key
    assert before.changes(now) == [change]
    finished = make_run("baseline", 0, num_threads="2", instruction_set="AVX2", onednn="on")
    assert other_arithmetic(finished, now) == [change]
    assert other_arithmetic(finished, before) == []
    of_version_01 = make_run("baseline", 0, num_threads="", instruction_set="", onednn="")
    assert other_arithmetic(of_version_01, now) == []


@pytest.fixture
def code_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package, which the fingerprint is taken of."""
    copy = tmp_path / "dropout_lab"
    shutil.copytree(Path(dropout_lab.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(dropout_lab, "__file__", str(copy / "__init__.py"))
    training_code.cache_clear()
    yield copy
    training_code.cache_clear()


@pytest.mark.parametrize(
    ("file", "line", "is_same"),
    [
        ("cli/run.py", "EDITED = True", True),
        ("plotting/curves.py", "EDITED = True", True),
        ("data/fetching.py", "EDITED = True", True),
        ("training/engines/masks.py", "# a comment", True),
        ("training/engines/masks.py", "EDITED = True", False),
        ("training/loop.py", "EDITED = True", False),
        ("seeds.py", "EDITED = True", False),
    ],
)
def test_the_code_that_trains_is_what_counts(code_copy: Path, file: str, line: str, is_same: bool) -> None:
    before = training_code()
    with (code_copy / file).open("a") as source:
        source.write(f"\n{line}\n")
    training_code.cache_clear()
    assert (training_code() == before) is is_same
