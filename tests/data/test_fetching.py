"""Fetching against a real HTTP server on loopback; the Debian package only where apt can get it."""

import functools
import http.server
import os
import shutil
import subprocess
import threading

import pytest

from dropout_lab.data import fetching
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS, keras_cache, missing_files, read_files
from dropout_lab.errors import DataError


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path):
    """A folder, and the address of an HTTP server that serves it."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch, tmp_path):
    """No data anywhere that is looked at."""
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("dropout_lab.data.idx_files.DEBIAN_FOLDER", tmp_path / "none")


@pytest.fixture
def closed_url(make_port):
    """An address on which nothing listens."""
    return f"http://127.0.0.1:{make_port()}/"


def test_downloads_what_is_missing_and_verifies_it(whole_dataset, site):
    folder, url = site
    for path in whole_dataset.glob("*ubyte.gz"):
        (folder / path.name).symlink_to(path)
    told = []
    assert fetching.fetch_by_download(told.append, url) == keras_cache()
    assert set(read_files(keras_cache())) == set(OFFICIAL_CHECKSUMS)
    assert len(told) == 4

    (keras_cache() / "t10k-labels-idx1-ubyte.gz").unlink()
    before = {path: path.stat().st_mtime_ns for path in keras_cache().iterdir()}
    told.clear()
    fetching.fetch_by_download(told.append, url)
    assert [text.rpartition("/")[2] for text in told] == ["t10k-labels-idx1-ubyte.gz"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert sorted(path.name for path in keras_cache().iterdir()) == sorted(
        f"{n}.gz" for n in OFFICIAL_CHECKSUMS
    )


def test_other_files_than_the_official_ones_are_not_kept(subset, site):
    folder, url = site
    shutil.copytree(subset, folder, dirs_exist_ok=True)
    with pytest.raises(DataError, match=r"The fetched train-images-idx3-ubyte is another file: .*SHA-256"):
        fetching.fetch_by_download(url=url)
    assert list(keras_cache().iterdir()) == []


def test_a_file_that_is_missing_on_the_host_is_named(site):
    _, url = site
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz cannot be downloaded: .*not found"):
        fetching.fetch_by_download(url=url)
    assert not keras_cache().exists()


def test_where_nothing_works_the_error_names_the_ways(monkeypatch, closed_url):
    monkeypatch.setattr(fetching.fetch_by_download, "__defaults__", (lambda _: None, closed_url))
    with pytest.raises(DataError, match="refused") as caught:
        fetching.locate_or_download()
    for way in ("dropout-lab data", "apt-get install dataset-fashion-mnist", "DROPOUT_LAB_DATA"):
        assert way in caught.value.hint

    monkeypatch.setenv("PATH", "")
    told = []
    with pytest.raises(DataError, match="apt-get is missing") as caught:
        fetching.fetch(told.append, install=True)
    assert "apt-get install" in caught.value.hint
    assert any("refused" in text for text in told)


def test_nothing_is_installed_without_being_asked(monkeypatch, tmp_path, closed_url):
    for name in ("apt-get", "dpkg-deb"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\necho {name} $* >> {tmp_path}/ran\nexit 100\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(fetching.fetch_by_download, "__defaults__", (lambda _: None, closed_url))
    told = []
    with pytest.raises(DataError, match="refused"):
        fetching.fetch(told.append)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(DataError, match=r"apt-get .*failed"):
        fetching.fetch(told.append, install=True)
    assert (tmp_path / "ran").read_text().startswith("apt-get ")
    assert any("apt-get" in text for text in told)


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path, subset, site):
    folder, url = site
    shutil.copytree(subset, folder, dirs_exist_ok=True)
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cannot be written"):
        fetching.fetch_by_download(url=url)


@pytest.mark.slow
def test_unpacks_the_debian_package_without_privileges(monkeypatch):
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("needs Debian or Ubuntu")
    known = subprocess.run(["apt-cache", "show", fetching.DEBIAN_PACKAGE], capture_output=True, check=False)
    if known.returncode != 0:
        pytest.skip("needs a package mirror")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert fetching.install_debian_package() == keras_cache()
    assert missing_files(keras_cache()) == []
    assert {name: file.checksum for name, file in read_files(keras_cache()).items()} == OFFICIAL_CHECKSUMS
