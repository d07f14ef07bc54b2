import io

import pytest

from dropout_lab.cli.safe_console import SafeConsole
from dropout_lab.cli.tables import print_facts, print_table, print_text
from dropout_lab.reporting.tables import TextTable

TABLE = TextTable(
    "Runs",
    ("Run", "Started", "Accuracy", "Verdict"),
    (
        ("dropout-seed0", "2026-11-25", "9.00%", "equivalent"),
        ("Others",),
        ("a name of four words", "2026-11-26", "90.00%", "better"),
    ),
    details=("Started",),
)


def console(width: int) -> SafeConsole:
    return SafeConsole(file=io.StringIO(), width=width)


def printed(width: int, *narrower: TextTable) -> list[str]:
    target = console(width)
    print_table(target, TABLE, *narrower)
    return target.file.getvalue().splitlines()


def test_all_columns_are_there_if_they_fit_and_numbers_are_aligned_to_the_right():
    assert printed(80) == [
        "Runs",
        "Run                   Started     Accuracy  Verdict",
        "─" * len("a name of four words  2026-11-26    90.00%  equivalent"),
        "dropout-seed0         2026-11-25     9.00%  equivalent",
        "Others",
        "a name of four words  2026-11-26    90.00%  better",
    ]


@pytest.mark.parametrize("width", [53, 42])
def test_details_go_if_they_do_not_fit(width):
    assert printed(width)[1::2] == [
        "Run                   Accuracy  Verdict",
        "dropout-seed0            9.00%  equivalent",
        "a name of four words    90.00%  better",
    ]


def test_a_narrower_table_comes_before_wrapped_cells():
    assert printed(41, TABLE.without("Started", "Accuracy"))[1::2] == [
        "Run                   Verdict",
        "dropout-seed0         equivalent",
        "a name of four words  better",
    ]


def test_cells_are_wrapped_between_words():
    assert printed(38)[1:] == [
        "Run               Accuracy  Verdict",
        "──────────────────────────────────────",
        "dropout-seed0        9.00%  equivalent",
        "Others",
        "a name of four      90.00%  better",
        "words",
    ]


def test_rows_become_blocks_if_a_word_does_not_fit():
    assert printed(30)[1:] == [
        "dropout-seed0",
        "  Accuracy  9.00%",
        "  Verdict   equivalent",
        "Others",
        "a name of four words",
        "  Accuracy  90.00%",
        "  Verdict   better",
    ]


def test_text_is_wrapped_between_words_and_a_long_word_stays_whole():
    target = console(30)
    print_text(target, f"see {'x' * 40} or the interval [-0.52, -0.06]", indent=2, lead="WORSE  ")
    assert target.file.getvalue().splitlines() == [
        "  WORSE  see",
        f"  {'x' * 40}",
        "  or the interval",
        "  [-0.52, -0.06]",
    ]


def test_a_value_that_does_not_fit_beside_its_label_goes_below_it():
    target = console(40)
    print_facts(target, {"seed": "0", "folder": f"/{'x' * 40}"})
    assert target.file.getvalue().splitlines() == ["seed    0", "folder", f"  /{'x' * 40}"]


def test_a_verdict_is_colored_and_still_a_word():
    target = SafeConsole(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    print_table(target, TABLE)
    assert "\x1b[1;32mbetter" in target.file.getvalue()
