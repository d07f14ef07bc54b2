import json

import pytest

from dropout_lab.cli import app as command_line

SCORES = "condition,seed,test_accuracy\n" + "".join(
    f"{condition},{seed},{base + seed / 1000 + noise / 1000}\n"
    for condition, base in (("baseline", 0.8), ("dropout", 0.9))
    for seed, noise in enumerate((3, 1, 2) if condition == "baseline" else (1, 2, 3))
)


@pytest.fixture
def judge(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text(SCORES)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["dropout-lab", "judge", "scores.csv", *arguments])
        code = command_line._main()
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("o.txt", "scores: dropout vs baseline"),
        ("o.md", "### scores"),
        ("o.csv", "condition,"),
        ("o.json", "{"),
        ("o.tex", "% "),
        ("o.html", "<!doctype html>"),
    ],
)
def test_the_suffix_of_the_output_is_its_format(judge, tmp_path, name, start):
    code, out, _ = judge("--output", name)
    assert code == 0
    assert (tmp_path / name).read_text().lower().startswith(start)
    assert out == "" or name == "o.html"


def test_the_file_holds_what_would_be_printed(judge, tmp_path):
    printed = judge("--format", "json")[1]
    assert judge("-o", "scores.json")[1] == ""
    assert json.loads((tmp_path / "scores.json").read_text()) == json.loads(printed)


def test_an_output_without_a_known_suffix_or_folder_is_refused(judge, tmp_path):
    code, _, err = judge("-o", "scores.xls")
    assert code == 2
    assert "--output: unknown suffix of scores.xls (allowed: .txt, .md, .csv, .json, .tex, .html)" in err
    code, _, err = judge("-o", "no/such.txt")
    assert code == 2
    assert "--output: directory no does not exist" in err


def test_an_output_that_cannot_be_made_leaves_no_file(judge, tmp_path):
    code, _, _ = judge("--metric", "nothing", "-o", "o.txt")
    assert code == 2
    assert not (tmp_path / "o.txt").exists()


def test_a_result_that_cannot_be_written_is_printed(judge, tmp_path):
    (tmp_path / "o.json").mkdir()
    code, out, err = judge("-o", "o.json")
    assert code == 1
    assert "--output: cannot write o.json" in err
    assert json.loads(out)["primary"] == "test_accuracy"
    assert judge("--metric", "nothing", "-o", "o.json")[0] == 2, "the failure of the command says more"


def test_color_can_be_forced_and_forbidden(judge, monkeypatch):
    assert "\x1b[" not in judge()[1]
    assert "\x1b[1;32mBETTER" in judge("--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;32mBETTER" in judge()[1]
    assert "\x1b[" not in judge("--color", "never")[1]


def test_a_quiet_command_prints_its_result_only(judge):
    out = judge("-q")[1].splitlines()
    assert len(out) == 1
    assert out[0].startswith("  BETTER  dropout vs baseline, test accuracy: ")


def test_help_and_version_have_short_forms(monkeypatch, capsys):
    for arguments, start in ((["-V"], "dropout-lab "), (["help", "runs"], "Usage: dropout-lab runs")):
        monkeypatch.setattr("sys.argv", ["dropout-lab", *arguments])
        assert command_line._main() == 0
        assert capsys.readouterr().out.startswith(start)
    monkeypatch.setattr("sys.argv", ["dropout-lab", "help", "run_"])
    assert command_line._main() == 2
    assert "did you mean 'run" in capsys.readouterr().err


def test_metrics_have_short_names_and_may_be_listed(judge):
    out = judge("--metric", "acc")[1]
    assert "test accuracy: " in out
    assert judge("--metric", "test_accuracy,acc")[1] == out
    assert judge("--margin", "acc=0.5", "-q")[1].startswith("  EQUIVALENT")
    code, _, err = judge("--metric", "acc,test_los")
    assert code == 2
    assert "Available metrics:\n  test_accuracy\n" in err
