"""The one error for all that is not as it was asked for."""

import pytest

from dropout_lab.errors import DropoutLabError, Interrupted
from dropout_lab.runs.failures import interrupted
from dropout_lab.runs.outcome import Failure, Report


@pytest.mark.parametrize(
    ("report", "exit_code"),
    [
        (Report(failures=[Failure("a", "no data", exit_code=2)]), 2),
        (Report(failures=[Failure("a", "no data", exit_code=2), Failure("b", "diverged")]), 1),
        (Report(not_started=["a"]), 1),
    ],
)
def test_only_failures_before_the_start_are_errors_of_use(report: Report, exit_code: int) -> None:
    with pytest.raises(DropoutLabError) as raised:
        report.raise_problems()
    assert raised.value.exit_code == exit_code


def test_an_interrupt_does_not_hide_earlier_failures() -> None:
    report = Report(failures=[Failure("a", "diverged")], interrupted=interrupted("b saved.", 15))
    with pytest.raises(Interrupted) as stopped:
        report.raise_problems()
    assert stopped.value.message == "b saved.\na: diverged"
    assert stopped.value.exit_code == 128 + 15


@pytest.mark.parametrize(
    "report", [Report(failures=[Failure("a", "diverged")]), Report(interrupted=interrupted("a saved.", 2))]
)
def test_what_was_retrained_continues_without_fresh(report: Report) -> None:
    for fresh in (False, True):
        with pytest.raises(DropoutLabError) as raised:
            report.raise_problems(fresh=fresh)
        assert "repeat the command" in str(raised.value.hint)
        assert ("without --fresh" in str(raised.value.hint)) is fresh
