import json

from dropout_lab.cli.schema import schema


def test_prints_what_the_repository_ships(repository, capsys):
    schema()
    shipped = (repository / "docs" / "spec.schema.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == shipped
    assert json.loads(shipped)["properties"]["training"]["description"]
