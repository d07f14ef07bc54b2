"""Which addresses are accepted as they are meant, and what is said about the others, without connecting."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropout_lab.errors import TrackingAddressError
from dropout_lab.tracking import locate


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("127.0.0.1:5000", "MLFLOW_TRACKING_URI=http://127.0.0.1:5000"),
        ("localhost:5000", "MLFLOW_TRACKING_URI=http://localhost:5000"),
        ("[::1]:5000", "MLFLOW_TRACKING_URI=http://[::1]:5000"),
        ("user:s3cret@host:5000/mlflow", "http://***@host:5000/mlflow"),
        ("databricks", "Databricks workspaces are not supported"),
        ("databricks://profile", "Databricks workspaces are not supported"),
        ("postgres://user:s3cret@host/db", "MLFLOW_TRACKING_URI=postgresql://***@host/db"),
        ("sqlite:/x.db", "MLFLOW_TRACKING_URI=sqlite:////x.db"),
        ("sqlite:x.db", "MLFLOW_TRACKING_URI=sqlite:///x.db"),
        ("sqlite://x.db", "MLFLOW_TRACKING_URI=sqlite:///x.db"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///x?mode=memory&uri=true", "in memory"),
        ("sqlite:////tmp", "/tmp is a folder"),
        ("sqlite:///~/x.db", "~ is not expanded"),
        ("mlflow.db", "MLFLOW_TRACKING_URI=sqlite:///mlflow.db"),
        ("./mlruns", "names a folder"),
        ("file:///tmp/mlruns", "names a folder"),
        ("C:\\runs", "names a folder"),
        ("http://[::1", "square bracket"),
        ("http://host:abc", "1 to 65535"),
        ("http://host:99999", "1 to 65535"),
        ("http://host:0", "1 to 65535"),
        ("postgresql://host:99999/db", "1 to 65535"),
        ("postgresql://user:s3cret@host:abc/db", "port that is not a number"),
        ("http://", "the host is missing"),
        ("http:/host", "MLFLOW_TRACKING_URI=http://host"),
        ("https:host", "MLFLOW_TRACKING_URI=https://host"),
        ("http://host:5000/#/experiments/1", "MLFLOW_TRACKING_URI=http://host:5000/."),
        ("'http://host:5000'", "quotation marks"),
        ("http://user:s3cret@my server:5000", "the host contains white space"),
        ("http://my\u00a0server:5000", "the host contains white space"),
        ("http://mlflow..example.com:5000", "a part of the host is empty"),
        (f"http://{'a' * 64}.example.com", "a part of the host is empty"),
        ("postgresql://user:s3cret@db..example.com/runs", "a part of the host is empty"),
        ("mysql+pymysql://my server/runs", "the host contains white space"),
        ("htpp://host", "did you mean 'http'?"),
        ("gopher://host", "unknown scheme 'gopher'"),
    ],
)
def test_a_wrong_address_is_named_with_what_to_write_instead(monkeypatch, uri, expected):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingAddressError) as caught:
        locate()
    assert expected in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert "s3cret" not in str(caught.value)


@given(
    uri=st.text("abchtps:/[]@#?&=%.~'\" 019\\\r\t", min_size=1, max_size=30).filter(
        lambda uri: "\0" not in uri
    )
)
def test_whatever_is_written_is_accepted_or_named(uri):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        try:
            location = locate()
        except TrackingAddressError as error:
            assert error.hint
        else:
            assert location.uri


@pytest.mark.parametrize(
    "uri",
    [
        "http://host:5000/",
        "https://u:p@host/mlflow",
        "http://host.:5000/a b",
        "http://[fe80::1%eth0]:5000",
        "http://münchen.de",
        "mysql+pymysql://host/db",
        "postgresql:///db",
    ],
)
def test_addresses_of_servers_are_taken_as_they_are(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f" {uri}\r\n")
    assert locate().uri == uri


def test_a_file_is_absolute_and_keeps_its_parameters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for uri, name in {
        "sqlite:///x.db\r": "x.db",
        "SQLITE:///x.db": "x.db",
        "sqlite:///a%20b.db": "a b.db",
        "sqlite+pysqlite:///x.db": "x.db",
    }.items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert locate().file == tmp_path / name
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db?check_same_thread=false&timeout=60")
    assert locate().file == tmp_path / "x.db"
    assert locate().uri.endswith("x.db?check_same_thread=false&timeout=60")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///file:{tmp_path}/a%20b.db?mode=ro&uri=true")
    assert locate().file == tmp_path / "a b.db"
    assert "mode=ro" in locate().uri


def test_a_current_folder_that_was_deleted_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(Exception, match="current folder no longer exists"):
        locate()
    os.chdir(Path("/"))
