"""The design: its looks, and its way through a tag."""

import pytest

from dropout_lab.design import MAX_LENGTH, Claim, Design

CLAIM = Claim(metric="test_loss", condition="a", reference="b", expected="lower", margin=0.01)


def test_a_fixed_design_has_one_look() -> None:
    design = Design(first=10, most=10)
    assert (design.is_sequential, design.looks) == (False, (10,))


@pytest.mark.parametrize(
    ("first", "most", "step", "looks"),
    [(5, 8, 1, (5, 6, 7, 8)), (5, 30, 10, (5, 15, 25, 30)), (2, 3, 9, (2, 3)), (5, 15, 5, (5, 10, 15))],
)
def test_a_sequential_design_looks_from_first_to_most(
    first: int, most: int, step: int, looks: tuple[int, ...]
) -> None:
    design = Design(first=first, most=most, step=step)
    assert (design.is_sequential, design.looks) == (True, looks)


def test_a_design_survives_its_tag() -> None:
    design = Design(
        primary="test_loss", first=5, most=30, step=5, num_conditions=3,
        margins={"test_loss": 0.02}, claims=(CLAIM,), varying=("model.dropout*", "training.l2"),
        confounded=("training.l2",),
    )  # fmt: skip
    assert Design.from_json(design.to_json()) == design


def test_a_tag_too_long_for_a_store_leaves_out_the_claims() -> None:
    design = Design(first=2, most=2, claims=(CLAIM,) * 100)
    assert len(design.to_json()) <= MAX_LENGTH
    assert Design.from_json(design.to_json()).claims == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"first": 0, "most": 2}', '{"first": 3, "most": 2}', '{"first": "x"}']
)
def test_another_text_is_no_design(text: str) -> None:
    with pytest.raises(ValueError):
        Design.from_json(text)


def test_a_design_of_an_earlier_version_varies_nothing_known() -> None:
    assert Design.from_json('{"first": 2, "most": 2}').varying == ()
