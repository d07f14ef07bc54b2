"""The record of what was measured of a run holds, or lacks, what is asked for."""

import pytest

from dropout_lab.evaluation.measured_parts import covers, names_of, read_parts, write_parts


@pytest.mark.parametrize("record", ["", "{", "[]", "1", '"text"', "null"])
def test_what_a_user_edited_into_something_else_is_none(record):
    assert read_parts(record) == {}


def test_a_record_is_read_as_it_was_written():
    parts = {"shift": {"shift": ["noise"]}, "monte_carlo": {"mc_samples": 5}, "confidence": {}}
    assert read_parts(write_parts(parts)) == parts
    assert read_parts('{"shift": 3, "confidence": {}}') == {"confidence": {}}


@pytest.mark.parametrize(
    ("measured", "wanted", "holds"),
    [
        ({}, {}, True),
        (None, {}, False),
        ({"mc_samples": 5}, {"mc_samples": 5}, True),
        ({"mc_samples": 5}, {"mc_samples": 6}, False),
        ({"shift": ["noise", "blur"]}, {"shift": ["blur"]}, True),
        ({"shift": ["noise"]}, {"shift": ["noise", "blur"]}, False),
        ({"ood": ["digits"], "mc_samples": 5}, {"ood": ["digits"], "mc_samples": 6}, False),
        ({"ood": ["digits"]}, {"ood": ["digits"], "mc_samples": 5}, False),
        ({"shift": "noise"}, {"shift": ["noise"]}, False),
        ({"shift": [["noise"], 1]}, {"shift": ["noise"]}, False),
    ],
)
def test_names_are_held_one_by_one_and_other_settings_must_be_equal(measured, wanted, holds):
    assert covers(measured, wanted) is holds


def test_only_names_count():
    assert names_of({"shift": ["noise", 1, None]}, "shift") == ["noise"]
    assert names_of({"shift": 1}, "shift") == names_of(None, "shift") == []
