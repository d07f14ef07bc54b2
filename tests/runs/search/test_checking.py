"""Kinds of dropout that a search may try are checked against their sites before any trial starts."""

from pathlib import Path

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.runs.search.checking import check_trials, needs_check
from dropout_lab.spec import Spec, load_spec

SPEC = """\
name: kinds
seeds: 2
data: {validation: 50}
model: {filters: [2, 3], hidden_units: 4, dropout: 0.2}
search:
  space:
"""


def searched(folder: Path, *lines: str, overrides: tuple[str, ...] = ()) -> Spec:
    file = folder / "kinds.yaml"
    file.write_text(SPEC + "".join(f"    {line}\n" for line in lines))
    return load_spec(file, overrides)


def check(spec: Spec) -> None:
    check_trials(spec, lambda _: ((28, 28, 1), 10))


def test_rates_alone_need_no_check(tmp_path: Path) -> None:
    assert not needs_check(searched(tmp_path, "model.dropout.conv1: [0, 0.2]", "training.l2: [0, 0.1]"))
    assert needs_check(searched(tmp_path, "model.dropout.conv1.kind: [standard, spatial]"))
    own = searched(
        tmp_path, "training.l2: [0, 0.1]", overrides=("model={network: 'net.py:make', dropout: 0.2}",)
    )
    assert needs_check(own)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "line", "field", "problem"),
    [
        (["model.dropout.dense.kind: [standard, spatial]"], 7, "dense.kind", "spatial drops whole feature"),
        (
            ["model.dropout.conv1: [0.1, 0.2]", "model.dropout.kind: [gaussian, stochastic_depth]"],
            8,
            "kind",
            "stochastic_depth drops residual branches, but conv2",
        ),
        (
            [
                "model.dropout.conv2: [{kind: dropblock, rate: 0.1, block_size: 3},"
                " {kind: dropblock, rate: 0.1, block_size: 50}]"
            ],
            7,
            "conv2",
            "squares of 50 x 50",
        ),
        (
            [
                "model.dropout.conv1.kind: [standard, dropconnect]",
                "model.dropout.dense.kind: [spatial, gaussian]",
            ],
            8,
            "dense.kind",
            "allowed here: standard, gaussian, alpha, dropconnect, concrete",
        ),
    ],
)
def test_a_kind_that_does_not_fit_its_site_is_refused_at_its_field(
    tmp_path: Path, lines: list[str], line: int, field: str, problem: str
) -> None:
    with pytest.raises(UsageError) as error:
        check(searched(tmp_path, *lines))
    assert error.value.message.startswith(
        f"{tmp_path / 'kinds.yaml'}:{line}: [search.space.model.dropout.{field}] "
    )
    assert problem in error.value.message


@pytest.mark.slow
def test_kinds_that_fit_are_accepted_and_an_override_is_named_without_a_line(tmp_path: Path) -> None:
    fitting = ("model.dropout.conv1.kind: [standard, spatial, dropconnect]", "training.epochs: [1, 2]")
    check(searched(tmp_path, *fitting))
    override = "search.space.model.dropout.dense.kind=[standard, dropblock]"
    with pytest.raises(UsageError, match=r"kinds\.yaml: \[search\.space\.model\.dropout\.dense\.kind\]"):
        check(searched(tmp_path, *fitting, overrides=(override,)))
