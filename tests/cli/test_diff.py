import json
import re

import pytest

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.diff import diff
from dropout_lab.errors import UsageError


@pytest.fixture
def ids(logged_runs, monkeypatch):
    folder, ids = logged_runs
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "120")
    return ids


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of all table rows by their first, which headings lack."""
    rows = (re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if not line.startswith(" "))
    return {key: cells for key, *cells in rows if cells}


def test_only_what_differs_is_shown(ids, capsys):
    diff("baseline-seed0", ids["dropout-seed0"][:10])
    output = capsys.readouterr().out
    assert rows_of(output) == {
        "run ID": [ids["baseline-seed0"][:8], ids["dropout-seed0"][:8]],
        "model.dropout.conv1": ["0.0", "0.5"],
        "model.dropout.conv2": ["0.0", "0.5"],
        "model.dropout.dense": ["0.0", "0.5"],
        "condition": ["baseline", "dropout"],
        "final_weights": ["baseline-seed0", "dropout-seed0"],
        "test accuracy": ["90.00%", "95.00%", "+5.00 points"],
    }
    assert ids["baseline-seed0"][:8] in output


def test_json(ids, capsys):
    diff("baseline-seed0", "dropout-seed0", format_=TextOrJson.JSON)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["first"], shown["second"]) == (ids["baseline-seed0"], ids["dropout-seed0"])
    assert shown["differs"]["run"] == {"condition": ["baseline", "dropout"]}
    assert shown["differs"]["metrics"] == {"test_accuracy": [0.9, 0.9 + 0.5 / 10]}


def test_a_run_does_not_differ_from_itself(ids, capsys):
    diff("dropout-seed0", "dropout-seed0")
    short = ids["dropout-seed0"][:8]
    assert capsys.readouterr().out.split() == (
        f"dropout-seed0 ({short}) and dropout-seed0 ({short}) are identical.".split()
    )


def test_a_name_cannot_command_the_terminal(ids, capsys):
    diff("dropout-seed0", next(run_id for name, run_id in ids.items() if "evil" in name))
    output = capsys.readouterr().out
    assert "\x1b[31m" not in output
    assert "[red]evil\\x1b[31m[/red]" in output


def test_an_unknown_run_is_told(ids):
    with pytest.raises(UsageError, match="nothing-like-it"):
        diff("dropout-seed0", "nothing-like-it")
