import subprocess
import sys

import numpy as np
import pytest

from dropout_lab.data.fashion_mnist import is_official
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS
from dropout_lab.data.selection import load_data
from dropout_lab.errors import DataError
from dropout_lab.spec import DataSpec


def test_validates_on_the_test_images_as_published():
    data = load_data(DataSpec(validation="test"))
    assert data.validation_inputs is data.test_inputs
    assert data.validation_labels is data.test_labels
    assert data.train_inputs.shape == (1000, 28, 28, 1)
    assert data.test_inputs.shape == (500, 28, 28, 1)
    assert data.train_inputs.dtype == data.train_labels.dtype == np.uint8
    fingerprint = data.fingerprint
    assert (fingerprint.num_train, fingerprint.num_validation, fingerprint.num_test) == (1000, 500, 500)
    assert len(fingerprint.digest) == 36
    assert not is_official(fingerprint.checksums)
    assert data.class_names == tuple("0123456789")


def test_the_whole_dataset_is_official(whole_dataset):
    data = load_data(DataSpec(folder=str(whole_dataset)))
    assert data.fingerprint.checksums == OFFICIAL_CHECKSUMS
    assert is_official(data.fingerprint.checksums)
    assert (data.fingerprint.num_train, data.fingerprint.num_test) == (60_000, 10_000)


@pytest.mark.parametrize("validation, num_validation", [(0.1, 100), (0.2505, round(0.2505 * 1000)), (37, 37)])
def test_splits_validation_images_from_the_training_images(validation, num_validation):
    whole = load_data(DataSpec())
    data = load_data(DataSpec(validation=validation))
    assert len(data.validation_labels) == data.fingerprint.num_validation == num_validation
    assert len(data.train_labels) == data.fingerprint.num_train == 1000 - num_validation
    together = np.concatenate([data.train_inputs, data.validation_inputs]).reshape(1000, -1)
    expected = whole.train_inputs.reshape(1000, -1)
    assert np.array_equal(np.sort(together, axis=0), np.sort(expected, axis=0))
    assert np.array_equal(data.test_inputs, whole.test_inputs)


def test_the_split_keeps_each_image_with_its_label():
    whole = load_data(DataSpec())
    label_of = {
        image.tobytes(): label for image, label in zip(whole.train_inputs, whole.train_labels, strict=True)
    }
    data = load_data(DataSpec(validation=0.3))
    for images, labels in (
        (data.train_inputs, data.train_labels),
        (data.validation_inputs, data.validation_labels),
    ):
        assert [label_of[image.tobytes()] for image in images] == labels.tolist()


def test_the_split_depends_on_its_seed_alone():
    first, again, other = (load_data(DataSpec(validation=0.3, split_seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.validation_inputs, again.validation_inputs)
    assert first.fingerprint.digest == again.fingerprint.digest
    assert not np.array_equal(first.validation_inputs, other.validation_inputs)
    assert first.fingerprint.digest != other.fingerprint.digest


def test_counts_take_the_first_images_before_the_split():
    whole = load_data(DataSpec())
    data = load_data(DataSpec(num_train=50, num_test=20))
    assert np.array_equal(data.train_inputs, whole.train_inputs[:50])
    assert np.array_equal(data.test_inputs, whole.test_inputs[:20])
    split = load_data(DataSpec(num_train=50, validation=10))
    seen = {image.tobytes() for image in [*split.train_inputs, *split.validation_inputs]}
    assert seen == {image.tobytes() for image in whole.train_inputs[:50]}


def test_equal_choices_of_images_have_equal_digests():
    assert _digest() == _digest(num_train=1000) == _digest(num_test=500) == _digest(split_seed=7)
    assert _digest(validation=0.1) == _digest(validation=100)
    choices = [{}, {"num_train": 999}, {"num_test": 499}, {"validation": 100}, {"validation": 101}]
    assert len({_digest(**choice) for choice in choices}) == len(choices)


def _digest(**choice) -> str:
    return load_data(DataSpec(**choice)).fingerprint.digest


@pytest.mark.parametrize(
    "choice, told",
    [
        ({"num_train": 1001}, r"data.num_train: 1001 is more than the 1000 examples in "),
        ({"num_test": 501}, r"data.num_test: 501 is more than the 500 examples in "),
        ({"validation": 1000}, r"data.validation: 1000 \(allowed: 1 to 999 of the 1000 training examples\)"),
        ({"validation": 10, "num_train": 10}, r"10 \(allowed: 1 to 9 of the 10 training examples\)"),
        ({"validation": 1e-9}, r"1e-09 \(0 examples\) \(allowed"),
        ({"validation": 0.9999}, r"0.9999 \(1000 examples\) \(allowed"),
    ],
)
def test_asking_for_more_images_than_exist_is_an_error(choice, told):
    with pytest.raises(DataError, match=told):
        load_data(DataSpec(**choice))


def test_reading_data_imports_neither_keras_nor_tensorflow():
    code = (
        "import sys; from dropout_lab.data.selection import load_data; "
        "from dropout_lab.spec import DataSpec; "
        "load_data(DataSpec()); print(*{'keras', 'tensorflow', 'mlflow', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_resampled_images_differ_by_seed_and_repeat() -> None:
    spec = DataSpec(resample=True, validation=0.2)
    first, again, other = (load_data(spec, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train_inputs, again.train_inputs)
    assert first.fingerprint.digest == again.fingerprint.digest != other.fingerprint.digest
    assert not np.array_equal(first.train_inputs, other.train_inputs)
    assert (first.fingerprint.num_train, first.fingerprint.num_validation) == (800, 200)
    np.testing.assert_array_equal(first.test_inputs, other.test_inputs)


def test_resampled_training_images_are_drawn_with_replacement_and_validated_on_others() -> None:
    data = load_data(DataSpec(resample=True, validation=100), 3)
    train = {image.tobytes() for image in data.train_inputs}
    validation = {image.tobytes() for image in data.validation_inputs}
    assert len(validation) == 100
    assert not train & validation
    # Of n images drawn n times with replacement, 1 - (1 - 1/n)^n are expected to be different.
    assert len(train) / 1000 == pytest.approx(1 - (1 - 1 / 1000) ** 900, abs=0.05)
