import pytest

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.resume import resume, sync


@pytest.mark.parametrize(
    ("command", "told"), [(resume, "No interrupted runs in this folder."), (sync, "Nothing to sync.")]
)
def test_where_nothing_is_left_to_do_nothing_is_done(command, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command()
    assert capsys.readouterr().out.startswith(told)
    command(format_=TextOrJson.JSON)
    assert capsys.readouterr().out == "[]\n"
    assert list(tmp_path.iterdir()) == []
