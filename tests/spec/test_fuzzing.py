"""Whatever a file or --set holds, `load_spec` returns a spec or raises SpecError, and nothing else."""

import copy
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec, condition_settings, flatten, load_spec
from dropout_lab.spec.expectations import valid_keys

SECTIONS = (
    (),
    ("model",),
    ("model", "dropout"),
    ("training",),
    ("data",),
    ("claims", 0),
    ("model", "dropout", "a"),
)
KEYS = sorted({key for section in SECTIONS for key in valid_keys(section)})
COLLECTIONS = (
    [],
    [[]],
    [1, "a"],
    [0.5] * 3,
    [{}],
    {},
    {"a": {}},
    {"conv1": 0.1},
    {"kind": "spatial"},
    {"rate": 0.1},
    {"dropout": [1]},
    {"": 1},
)
WORDS = (
    "",
    *["digits", "data.py:load", "a.npz", "photos/", ":", "/", ".npz", "unit", "rgba"],
    *["spatial", "dropblock", "concrete"],
    *["test", "adam", "auto", "gpu:1", "baseline", "lower", "a/b", "../x", "1e3", "<<"],
    "\x1b[31m",
    "\u202e",
)
VALUES = (
    st.sampled_from((None, True, False, *COLLECTIONS, *WORDS, *KEYS))
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
)
GOOD = {
    "name": "a",
    "model": {
        "dropout": {"conv1": 0.2, "dense": {"kind": "dropblock", "rate": 0.5, "block_size": 3}},
        "filters": [8, 16],
    },
    "training": {"epochs": 3, "optimizer": "sgd"},
    "device": "cpu",
    "data": {"validation": 0.1, "num_train": 100},
    "seeds": [0, 1],
    "conditions": {"a": {}, "b": {"model": {"dropout": 0.5}}},
    "grid": {
        "training.epochs": [4, 5],
        "zip": {"model.dropout.conv2": [0.1, 0.3], "data.num_test": [50, 60]},
    },
    "claims": [{"metric": "test_loss", "condition": "b", "reference": "a", "expected": "lower"}],
}


GOOD_DATA = (
    GOOD["data"],
    {"dataset": "digits", "scale": "standardize"},
    {"dataset": "data.py:load", "arguments": {"a": [1, {"b": None}]}, "test_split": 0.3, "test_seed": 1},
    {"dataset": "photos/", "image_size": [8, 9], "color_mode": "grayscale"},
    {"dataset": "a.npz", "resample": True},
)


def _changed(case: tuple[dict, list[tuple[float, str, object]]]) -> bytes:
    """Return GOOD with other data, values set and keys added, at places that fractions choose."""
    data = json.loads(json.dumps(GOOD | {"data": case[0]}))
    changes = case[1]
    for fraction, key, value in changes:
        places: list[tuple[dict | list, str | int]] = []
        todo: list[dict | list] = [data]
        while todo:
            part = todo.pop()
            keys = list(part) if isinstance(part, dict) else range(len(part))
            places += [(part, at) for at in keys]
            todo += [part[at] for at in keys if isinstance(part[at], dict | list)]
            if isinstance(part, dict):
                places.append((part, key))
        part, at = places[int(fraction * len(places))]
        part[at] = copy.deepcopy(value)
    return json.dumps(data).encode()


CHANGES = st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(KEYS) | st.text(max_size=8), VALUES)
NEARLY_SPECS = st.tuples(st.sampled_from(GOOD_DATA), st.lists(CHANGES, max_size=3)).map(_changed)
TOKENS = (*KEYS, *"[]{}:,-?!&*|>'\"%@`#~ \n\t", ": ", "\n  ", "- ", "<<", "!!", "&a ", "*a", "---", "...")
YAML_LIKE = st.lists(st.sampled_from(TOKENS), max_size=40).map(lambda parts: "".join(parts).encode())
FILES = NEARLY_SPECS | YAML_LIKE | st.binary(max_size=100)
OVERRIDES = st.builds(
    lambda keys, value: f"{'.'.join(keys)}={value}",
    st.lists(st.sampled_from(KEYS + list(Spec.model_fields)) | st.text(max_size=5), min_size=1, max_size=4),
    st.sampled_from(["1", "0.5", "test", "[1, 2]", "{dense: 0.1}", "spatial", "null", "{a: {}}"])
    | st.text(max_size=20),
) | st.text(max_size=30)


def _spec_or_spec_error(folder, raw: bytes, overrides: list[str]) -> None:
    path = folder / "fuzz.yaml"
    path.write_bytes(raw)
    try:
        spec = load_spec(path, overrides)
    except SpecError as error:
        assert error.problems
        assert all(problem.isprintable() for problem in error.problems)
    else:
        for condition in condition_settings(spec).values():
            assert all(isinstance(value, str) for value in flatten(condition).values())


GOOD_FILE = b'{"name": "a", "seeds": [1], "conditions": {"b": {"model": {"dropout": 0.5}}}}'


@settings(max_examples=300)
@given(raw=FILES)
@example(raw=b'{"name": "a", "conditions": {"\\u001f": null}}')
@example(raw=b'{"name": "a", "grid": {"zip": {"training.epochs": [1, 2], "\\u001f": [1]}}}')
def test_a_file_gives_a_spec_or_a_spec_error(tmp_path_factory, raw):
    _spec_or_spec_error(tmp_path_factory.getbasetemp(), raw, [])


@settings(max_examples=300)
@given(overrides=st.lists(OVERRIDES, min_size=1, max_size=2))
@example(overrides=["[key]=1"])
@example(overrides=["seeds.0=1"])
def test_overrides_give_a_spec_or_a_spec_error(tmp_path_factory, overrides):
    _spec_or_spec_error(tmp_path_factory.getbasetemp(), GOOD_FILE, overrides)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(raw=FILES)
def test_ten_thousand_files_give_a_spec_or_a_spec_error(tmp_path_factory, raw):
    _spec_or_spec_error(tmp_path_factory.getbasetemp(), raw, [])


@pytest.mark.slow
@settings(max_examples=10_000)
@given(overrides=st.lists(OVERRIDES, min_size=1, max_size=2))
def test_ten_thousand_overrides_give_a_spec_or_a_spec_error(tmp_path_factory, overrides):
    _spec_or_spec_error(tmp_path_factory.getbasetemp(), GOOD_FILE, overrides)
