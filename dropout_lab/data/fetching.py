"""Fetch missing data files: download them as Keras does, or install the Debian package."""

import http.client
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from dropout_lab.data.idx_files import (
    DEBIAN_FOLDER,
    FETCH_HINT,
    MAX_FILE_BYTES,
    keras_cache,
    locate,
    missing_files,
    read_file,
)
from dropout_lab.errors import DataError
from dropout_lab.redaction import redact

DOWNLOAD_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Folder from which ``keras.datasets.fashion_mnist`` downloads."""

DEBIAN_PACKAGE = "dataset-fashion-mnist"
TIMEOUT_SECONDS = 20
APT_TIMEOUT_SECONDS = 600

Report = Callable[[str], None]


def locate_or_download(folder: str | None = None) -> Path:
    """Return the folder with the files; if there is none, download them into the Keras cache.

    Raises:
        DataError: If a named folder lacks them, or they are missing and cannot be downloaded.
    """
    return locate(folder) or fetch_by_download()


def fetch(report: Report, *, install: bool = False) -> Path:
    """Fetch the files and return their folder.

    Args:
        report: Called with each step before it is taken, and with the failure of one.
        install: Whether to install the Debian package if the download fails.

    Raises:
        DataError: If the files cannot be fetched.
    """
    try:
        return fetch_by_download(report)
    except DataError as error:
        if not install:
            raise
        report(error.message)
    return install_debian_package(report)


def fetch_by_download(report: Report = lambda _: None, url: str = DOWNLOAD_URL) -> Path:
    """Download the files that the Keras cache lacks, verify them, and return the folder of the cache.

    Args:
        report: Called with the address of each file before it is downloaded.
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
                f"{url}{name}.gz cannot be downloaded: {redact(str(reason))}", hint=FETCH_HINT
            ) from None
        with _staging_folder(target) as staging:
            _write(Path(staging) / f"{name}.gz", content)
            _place(Path(staging), name, target)
    return target


def install_debian_package(report: Report = lambda _: None) -> Path:
    """Install the Debian package as root; as another user, unpack it into the Keras cache.

    Raises:
        DataError: If the machine has no apt-get, or it cannot get the package.
    """
    if shutil.which("apt-get") is None:
        raise DataError("apt-get is missing: --install needs Debian or Ubuntu.", hint=FETCH_HINT)
    if os.geteuid() == 0:
        return _install_package(report)
    return _unpack_package(report)


def _install_package(report: Report) -> Path:
    install = ["apt-get", "install", "--yes", "--no-install-recommends", DEBIAN_PACKAGE]
    report(f"Running `{' '.join(install)}`")
    try:
        _run(install)
    except DataError:
        report("Running `apt-get update`, then the installation again")
        _run(["apt-get", "update"])
        _run(install)
    return DEBIAN_FOLDER


def _unpack_package(report: Report) -> Path:
    """Download and unpack the package, with folders for apt-get that need no privileges."""
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
        report("Running `apt-get update` with package lists in a temporary folder")
        _run(["apt-get", *options, "update"], staging)
        report(f"Downloading the Debian package {DEBIAN_PACKAGE}")
        _run(["apt-get", *options, "download", DEBIAN_PACKAGE], staging)
        (package,) = staging.glob(f"{DEBIAN_PACKAGE}_*.deb")
        report(f"Unpacking the package into {target}")
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
            f"{path.parent.parent} cannot be written: {error.strerror or error}",
            hint=f"Make room there, or set KERAS_HOME to another folder. {FETCH_HINT}",
        ) from None


def _place(source: Path, name: str, target: Path) -> None:
    """Verify file `name` in the folder `source`, then move it into `target` in one step."""
    try:
        file = read_file(source, name)
    except DataError as error:
        raise DataError(f"The fetched {name} is another file: {error.message}", hint=FETCH_HINT) from None
    file.path.replace(target / file.path.name)


def _staging_folder(target: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder on the file system of `target`, so that moving a file there is atomic."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=target, prefix=".fetching-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DataError(
            f"{target} cannot be written: {error.strerror or error}",
            hint=f"Set KERAS_HOME to another folder. {FETCH_HINT}",
        ) from None


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
        raise DataError(f"`{' '.join(command)}` cannot be run: {error}", hint=FETCH_HINT) from None
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise DataError(f"`{' '.join(command)}` failed: {redact(output[-1])}", hint=FETCH_HINT)
