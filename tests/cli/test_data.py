import json
import shutil

import pytest

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.data import data
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS
from dropout_lab.errors import DataError, UsageError


def test_shows_folder_shapes_and_checksums(subset, capsys):
    data()
    lines = capsys.readouterr().out.splitlines()
    sums = dict(line.split()[::-1] for line in (subset / "SHA256SUMS").read_text().splitlines())
    assert str(subset) in lines[0]
    for line, name in zip(lines[3:7], OFFICIAL_CHECKSUMS, strict=True):
        assert line.split()[0] == f"{name}.gz"
        assert line.split()[-1] == sums[name]
    assert "1,000 x 28 x 28" in lines[3]
    assert "not the original files" in lines[7]


def test_the_official_files_are_called_so(whole_dataset, capsys):
    data(folder=str(whole_dataset))
    assert "All four are the original files, checksums OK." in capsys.readouterr().out


def test_prints_json_for_scripts(subset, capsys):
    data(format_=TextOrJson.JSON)
    output = capsys.readouterr()
    summary = json.loads(output.out)
    assert summary["folder"] == str(subset)
    assert summary["official"] is False
    assert [file["name"] for file in summary["files"]] == list(OFFICIAL_CHECKSUMS)
    assert summary["files"][2]["shape"] == [500, 28, 28]
    assert output.err == ""


def test_a_folder_with_markup_in_its_name_is_shown_as_it_is(subset, tmp_path, capsys):
    folder = tmp_path / "[red]x[/red]"
    shutil.copytree(subset, folder)
    data(folder=str(folder))
    assert str(folder) in capsys.readouterr().out


def test_a_damaged_file_is_an_error(subset, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(subset, folder)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"x")
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: expected a gzip file"):
        data(folder=str(folder))


@pytest.fixture
def spec(tmp_path):
    """A spec with the same digits in two conditions, and standardized ones in a third."""
    path = tmp_path / "digits.yaml"
    path.write_text(
        "name: digits\ndata: {dataset: digits, validation: 100, num_test: 50}\n"
        "conditions: {a: {}, b: {training: {epochs: 1}}, c: {data: {scale: standardize}}}\n"
    )
    return path


def test_the_data_of_a_spec_are_described(spec, capsys):
    data(spec)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("Dataset")] == ["digits"] * 2
    assert any(line.split() == ["Input", "shape", "8", "x", "8", "x", "1,", "float32"] for line in lines)
    assert any(line.split() == ["all", "1,338", "100", "50"] for line in lines)
    assert sum(line.endswith("scaled by channel or feature") for line in lines) == 1


def test_the_data_of_a_spec_as_json(spec, capsys):
    data(spec, format_=TextOrJson.JSON)
    first, second = json.loads(capsys.readouterr().out)
    assert first["examples"]["train"].keys() == set("0123456789")
    assert sum(first["examples"]["test"].values()) == 50
    assert (first["low"], first["high"], first["scaling"]) == (0, 1, "not scaled")
    assert first["digest"] != second["digest"]


def test_options_of_fashion_mnist_do_not_apply_to_a_spec(spec):
    with pytest.raises(UsageError, match="do not apply with SPEC"):
        data(spec, folder="x")
