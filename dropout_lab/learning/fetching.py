"""Gets the data files where they are missing: a download as Keras does it, or the Debian package."""

import http.client
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from dropout_lab.errors import DataError
from dropout_lab.learning.data_files import (
    DEBIAN_FOLDER,
    FETCH_HINT,
    MAX_FILE_BYTES,
    keras_cache,
    locate,
    missing_files,
    read_file,
)

DOWNLOAD_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where ``keras.datasets.fashion_mnist`` downloads from."""

DEBIAN_PACKAGE = "dataset-fashion-mnist"
TIMEOUT_SECONDS = 20
APT_TIMEOUT_SECONDS = 600

Report = Callable[[str], None]


def locate_or_download(folder: str | None = None) -> Path:
    """Return the folder that holds the files, downloading them into Keras' cache where no folder does.

    Raises:
        DataError: If a named folder lacks them, or they are nowhere and cannot be downloaded.
    """
    return locate(folder) or fetch_by_download()


def fetch(report: Report) -> Path:
    """Get the files by the first way that works, and return their folder.

    Args:
        report: Is told each step before it is taken, and why one failed.

    Raises:
        DataError: If no way works.
    """
    for way in (fetch_by_download, fetch_debian_package):
        try:
            return way(report)
        except DataError as error:
            report(error.message)
    raise DataError("expected one way to get Fashion-MNIST, received none that works here", hint=FETCH_HINT)


def fetch_by_download(report: Report = lambda _: None, url: str = DOWNLOAD_URL) -> Path:
    """Download the files that Keras' cache lacks, verify them, and return the cache's folder.

    Args:
        report: Is told what is downloaded.
        url: Folder of the four .gz files.

    Raises:
        DataError: If the host cannot be reached, or sends anything but the official files.
    """
    target = keras_cache()
    for name in missing_files(target):
        report(f"Downloading {url}{name}.gz")
        try:
            with urllib.request.urlopen(f"{url}{name}.gz", timeout=TIMEOUT_SECONDS) as response:
                content = response.read(MAX_FILE_BYTES)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise DataError(
                f"{url}{name}.gz: expected the file, received: {reason}", hint=FETCH_HINT
            ) from None
        with _staging_folder(target) as staging:
            _write(Path(staging) / f"{name}.gz", content)
            _place(Path(staging), name, target)
    return target


def fetch_debian_package(report: Report = lambda _: None) -> Path:
    """Install the Debian package, or unpack it into Keras' cache where that is not allowed.

    Raises:
        DataError: If the machine has no apt-get, or it cannot get the package.
    """
    if shutil.which("apt-get") is None:
        raise DataError(
            "apt-get: expected on Debian and Ubuntu, received none on this machine", hint=FETCH_HINT
        )
    if os.geteuid() == 0:
        return _install_package(report)
    return _unpack_package(report)


def _install_package(report: Report) -> Path:
    install = ["apt-get", "install", "--yes", "--no-install-recommends", DEBIAN_PACKAGE]
    report(f"Installing the Debian package {DEBIAN_PACKAGE}")
    try:
        _run(install)
    except DataError:
        report("Updating the lists of packages")
        _run(["apt-get", "update"])
        _run(install)
    return DEBIAN_FOLDER


def _unpack_package(report: Report) -> Path:
    """Download and unpack the package with folders of apt's that need no privileges."""
    target = keras_cache()
    with _staging_folder(target) as name:
        staging = Path(name)
        (staging / "lists" / "partial").mkdir(parents=True)
        (staging / "archives" / "partial").mkdir(parents=True)
        options = [
            *("-o", f"Dir::State::Lists={staging / 'lists'}"),
            *("-o", f"Dir::Cache={staging}"),
            *("-o", f"Dir::Cache::Archives={staging / 'archives'}"),
            *("-o", "Debug::NoLocking=true"),
        ]
        report("Reading the lists of packages")
        _run(["apt-get", *options, "update"], staging)
        report(f"Downloading the Debian package {DEBIAN_PACKAGE}")
        _run(["apt-get", *options, "download", DEBIAN_PACKAGE], staging)
        (package,) = staging.glob(f"{DEBIAN_PACKAGE}_*.deb")
        report(f"Unpacking it into {target}")
        _run(["dpkg-deb", "--extract", str(package), str(staging / "unpacked")], staging)
        unpacked = staging / "unpacked" / DEBIAN_FOLDER.relative_to("/")
        for file in missing_files(target):
            _place(unpacked, file, target)
    return target


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"{path.parent.parent}: expected room for the data, received: {error.strerror}"
        ) from None


def _place(source: Path, name: str, target: Path) -> None:
    """Verify file `name` in the folder `source`, then move it into `target` in one step."""
    try:
        file = read_file(source, name)
    except DataError as error:
        raise DataError(f"{name}: what was fetched is not it: {error.message}", hint=FETCH_HINT) from None
    file.path.replace(target / file.path.name)


def _staging_folder(target: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder beside the files in `target`, so that moving one there is atomic."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=target, prefix=".fetching-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DataError(f"{target}: expected a folder to write in, received: {error.strerror}") from None


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(
            f"{' '.join(command)}: expected it to run, received: {error}", hint=FETCH_HINT
        ) from None
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise DataError(f"{command[0]}: expected success, received: {output[-1]}", hint=FETCH_HINT)
