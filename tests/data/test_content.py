import numpy as np

from dropout_lab.data.content import array_checksum, count_shared


def test_the_checksum_is_of_values_shape_and_dtype_alone():
    values = np.arange(12, dtype=np.int32).reshape(3, 4)
    same = np.asfortranarray(values)
    assert array_checksum(values) == array_checksum(same) == array_checksum(values[:])
    changed = values.copy()
    changed[2, 3] += 1
    others = (changed, values.reshape(4, 3), values.astype(np.float32), values.view(np.uint32))
    assert len({array_checksum(one) for one in (values, *others)}) == 5


def test_shared_examples_are_counted_in_the_test_part():
    train = np.array([[1, 2], [3, 4], [1, 2]])
    assert count_shared(train, np.array([[1, 2], [1, 2], [2, 1], [5, 6]])) == 2
    assert count_shared(train.astype(np.int32), np.array([[3, 4]])) == 1
    assert count_shared(train, train[:0]) == 0
