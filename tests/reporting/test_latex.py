"""LaTeX output, checked once with a real pdfLaTeX; here only what would break it."""

import re
from collections.abc import Callable

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.records import RunRecord
from dropout_lab.reporting.latex import escape, to_latex


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"50% of a_b & c#1 {x} $y ~z^2 \n", None),
        ("[x]", "{[}x{]}"),
        ("±0.2 < 1", r"$\pm$0.2 $<$ 1"),
        ("Großschreibung · 日本", None),
    ],
)
def test_no_special_character_is_left(text: str, shown: str | None) -> None:
    found = escape(text)
    if shown is not None:
        assert found == shown
    assert found.isascii()
    left = re.sub(r"\\[%&_#$\{\}]|\\text\w+\{\}|\$(\\pm|<|>)\$|\{\[\}|\{\]\}", "", found)
    assert not set(left) & set("%&_#$~^\\{}[]")


def test_every_row_has_as_many_cells_as_columns(make_run: Callable[..., RunRecord]) -> None:
    runs = [
        make_run(name, seed, test_accuracy=0.9 + seed / 100 * index, test_loss=0.3 + seed / 90 * index)
        for index, name in enumerate(("baseline", "a_b", "50%"), start=1)
        for seed in range(4)
    ]
    text = to_latex(compare_runs(runs))
    assert text.isascii()
    for table in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line for line in table[1].splitlines() if line.endswith(r"\\")]
        assert len(rows) >= 4
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(table[0])}
    assert r"a\_b" in text
    assert "Methods." in text
