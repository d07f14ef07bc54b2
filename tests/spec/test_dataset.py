"""The dataset of a spec: named, or given as a function, a file or a folder; with the fields that apply."""

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import DataSpec, load_spec
from dropout_lab.spec.dataset_names import DATASETS


@pytest.mark.parametrize(
    ("dataset", "form"),
    [
        *((name, "name") for name in DATASETS),
        ("data.py:load", "function"),
        ("keras.datasets.mnist:load_data", "function"),
        ("folder/data.py:load", "function"),
        ("data.npz", "npz"),
        ("a:b.npz", "npz"),
        ("photos/", "folder"),
        ("./photos", "folder"),
        ("/data/photos", "folder"),
    ],
)
def test_the_form_is_that_of_the_text(dataset, form):
    assert DataSpec(dataset=dataset).form == form


def test_equal_specs_are_equal_keys():
    one, same, other = (DataSpec(dataset="a:f", arguments={"x": [1, {"y": value}]}) for value in (2, 2, 3))
    assert {one: 1}[same] == 1
    assert one != other
    assert DataSpec() in {DataSpec()}


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({}, {"folder"}),
        ({"dataset": "digits"}, set()),
        ({"dataset": "data.py:load"}, {"arguments", "test_split", "test_seed"}),
        ({"dataset": "a.npz"}, {"test_split", "test_seed"}),
        ({"dataset": "photos/"}, {"image_size", "color_mode", "test_split", "test_seed"}),
    ],
)
def test_only_fields_that_apply_are_logged(fields, content):
    spec = DataSpec(**fields)
    every = {"dataset", "scale", "validation", "split_seed", "num_train", "num_test", "resample"}
    assert set(spec.content()) == every | content
    assert DataSpec.model_validate(spec.content(mode="json")) == spec


def problems(tmp_path, text):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "field", "dataset", "needed"),
    [
        ("dataset: digits, folder: x", "folder", "digits", "fashion_mnist"),
        ("dataset: a.npz, image_size: 8", "image_size", "a.npz", "a folder of images"),
        ("color_mode: grayscale", "color_mode", "fashion_mnist", "a folder of images"),
        ("arguments: {a: 1}", "arguments", "fashion_mnist", "a function"),
        ("dataset: photos/, arguments: {a: 1}", "arguments", "photos/", "a function"),
        ("test_split: 0.5", "test_split", "fashion_mnist", "a function or a .npz file or a folder of images"),
    ],
)
def test_a_field_that_does_not_apply_is_named_with_its_place(tmp_path, data, field, dataset, needed):
    assert problems(tmp_path, f"name: a\ndata: {{{data}}}\n") == [
        f"2: [data.{field}] does not apply to the dataset {dataset!r} (allowed: with {needed})"
    ]


def test_a_shared_field_must_apply_to_one_condition_and_an_own_field_to_its_own(tmp_path):
    conditions = "conditions:\n  a: {}\n  b:\n    data: {dataset: digits}\n"
    assert problems(tmp_path, f"name: a\ndata: {{test_seed: 3}}\n{conditions}")[0].startswith(
        "2: [data.test_seed]"
    )
    path = tmp_path / "good.yaml"
    path.write_text(f"name: a\ndata: {{folder: x}}\n{conditions}")
    load_spec(path)
    assert problems(
        tmp_path, f"name: a\n{conditions}      # no more\n".replace("digits}", "digits, folder: x}")
    )[0].startswith("5: [conditions.b.data.folder]")


def test_a_typo_gets_the_nearest_name(tmp_path):
    (problem,) = problems(tmp_path, "name: a\ndata: {dataset: cifar_10}\n")
    expected = "2: [data.dataset] invalid value: 'cifar_10' (text) (did you mean 'cifar10'?) (allowed: "
    assert problem.startswith(f"{expected}fashion_mnist, mnist, ")


def test_one_number_is_height_and_width():
    spec = DataSpec(dataset="photos/", image_size=32)
    assert spec.image_size == (32, 32) == DataSpec(dataset="photos/", image_size=[32, 32]).image_size


def test_every_name_has_a_loader_and_100_classes_are_100():
    for named in DATASETS.values():
        assert named.loader.count(":") == 1
        assert len(set(named.class_names)) == len(named.class_names)
    assert len(DATASETS["cifar100"].class_names) == 100
