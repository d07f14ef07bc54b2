import io

import pytest

from dropout_lab.cli.safe_console import SafeConsole
from dropout_lab.cli.tables import print_table
from dropout_lab.reporting.tables import TextTable

TABLE = TextTable(
    "Runs",
    ("Run", "Started", "Verdict"),
    (("dropout-seed0", "2026-11-25", "= equivalent"), ("a name of four words", "2026-11-26", "▲ better")),
    details=("Started",),
)


def printed(width: int) -> list[str]:
    file = io.StringIO()
    print_table(SafeConsole(file=file, width=width), TABLE)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_all_columns_are_there_where_they_fit():
    assert printed(80) == [
        "Runs",
        "Run                   Started     Verdict",
        "─" * len("a name of four words  2026-11-26  = equivalent"),
        "dropout-seed0         2026-11-25  = equivalent",
        "a name of four words  2026-11-26  ▲ better",
    ]


@pytest.mark.parametrize("width", [45, 34])
def test_details_go_where_they_do_not_fit(width):
    lines = printed(width)
    assert lines[1:2] + lines[3:] == [
        "Run                   Verdict",
        "dropout-seed0         = equivalent",
        "a name of four words  ▲ better",
    ]


def test_where_even_that_does_not_fit_words_go_to_the_next_line_and_verdicts_stay_whole():
    lines = printed(27)
    assert lines[1:2] + lines[3:] == [
        "Run            Verdict",
        "dropout-seed0  = equivalent",
        "a name of      ▲ better",
        "four words",
    ]
    assert all(len(line) <= 27 for line in lines)
