"""``dropout-lab doctor``: is everything there that a run needs, and if not, what mends it."""

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json, starting_tensorflow, stdout
from dropout_lab.cli.help import documented
from dropout_lab.errors import DropoutLabError

MIN_PYTHON, END_PYTHON = (3, 11), (3, 14)
MIN_FREE_BYTES = 2**30
"""A study of 20 runs with their models takes about 150 MB."""


@dataclass(frozen=True)
class Check:
    """One thing that a run needs.

    Attributes:
        name: What was looked at.
        ok: Whether a run can use it.
        found: What was found.
        mend: What to do where it is not ok.
    """

    name: str
    ok: bool
    found: str
    mend: str = ""


@documented(
    "Check the environment and suggest fixes.",
    "Exits with code 1 if any check fails.",
    examples=[
        "dropout-lab doctor",
        "dropout-lab doctor --format json",
    ],
)
def doctor(
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the result.")
    ] = TextOrJson.TEXT,
) -> None:
    """Run all checks and print their results."""
    checks = [diagnose(name, check) for name, check in CHECKS.items()]
    if format_ is TextOrJson.JSON:
        print_json([asdict(check) for check in checks])
    else:
        _print_checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check the interpreter's version."""
    text = ".".join(map(str, version))
    mend = "Make the environment anew with Python 3.11, 3.12 or 3.13."
    return Check("python", MIN_PYTHON <= version[:2] < END_PYTHON, f"{text} ({platform.machine()})", mend)


def check_packages(
    requirements: list[str] | None = None, version_of: Callable[[str], str] = metadata.version
) -> Check:
    """Check installed packages against the bounds that this package declares.

    Args:
        requirements: As in pyproject.toml; by default those of the installed dropout_lab.
        version_of: Returns a distribution's version or raises `metadata.PackageNotFoundError`.
    """
    from packaging.requirements import Requirement

    if requirements is None:
        requirements = metadata.requires("dropout_lab") or []

    def installed(name: str) -> str | None:
        try:
            return version_of(name)
        except metadata.PackageNotFoundError:
            return None

    problems, num_fit = [], 0
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = installed(requirement.name)
        if version is None and requirement.name == "tensorflow":
            version = installed("tensorflow-cpu")
        if version is None:
            problems.append(f"{requirement} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{requirement} is needed, {version} is there")
        else:
            num_fit += 1
    if installed("tensorflow") and installed("tensorflow-cpu"):
        return Check(
            "packages",
            ok=False,
            found="tensorflow and tensorflow-cpu are both installed and share one folder",
            mend="pip uninstall tensorflow tensorflow-cpu, then pip install tensorflow",
        )
    if problems:
        mend = "pip install --upgrade dropout_lab (in a checkout: pip install -c constraints.txt -e .)"
        return Check("packages", ok=False, found="; ".join(problems), mend=mend)
    return Check("packages", ok=True, found=f"{num_fit} as needed")


def check_device() -> Check:
    """Check that TensorFlow starts, and tell which device ``device: auto`` takes."""
    with starting_tensorflow():
        from dropout_lab.learning.devices import resolve_device

        device = resolve_device("auto")
    return Check(
        "device", ok=True, found=f"{device.device} {device.device_name}, {device.num_threads} threads"
    )


def check_data() -> Check:
    """Check that the dataset is there and whole, without fetching it."""
    from dropout_lab.learning.data import is_official
    from dropout_lab.learning.data_files import locate, read_files

    folder = locate()
    if folder is None:
        return Check("data", ok=False, found="not on this machine yet", mend="dropout-lab data")
    files = read_files(folder)
    official = is_official({name: file.checksum for name, file in files.items()})
    kind = "the authors' files" if official else "other images than the authors', by their own SHA256SUMS"
    return Check("data", ok=True, found=f"{folder}: {kind}, checksums hold")


def check_tracking() -> Check:
    """Check that runs can be recorded, without creating a store."""
    from dropout_lab.tracking import locate
    from dropout_lab.tracking.store import open_client

    location = locate()
    if location.file is not None and not location.file.exists():
        folder = next(parent for parent in location.file.parents if parent.exists())
        found = f"{location.shown}, which the first run makes"
        return Check("tracking", os.access(folder, os.W_OK), found, f"Get permission to write in {folder}.")
    open_client(create=False)
    return Check("tracking", ok=True, found=location.shown)


def check_disk(folder: Path | None = None) -> Check:
    """Check the room for runs in `folder`, by default the current one."""
    folder = folder or Path.cwd()
    free = shutil.disk_usage(folder).free
    mend = f"Make room: {MIN_FREE_BYTES / 2**30:.0f} GiB lets a study run."
    return Check("disk", free >= MIN_FREE_BYTES, f"{free / 2**30:.1f} GiB free in {folder}", mend)


CHECKS: dict[str, Callable[[], Check]] = {
    "python": check_python,
    "packages": check_packages,
    "device": check_device,
    "data": check_data,
    "tracking": check_tracking,
    "disk": check_disk,
}


def diagnose(name: str, check: Callable[[], Check]) -> Check:
    """Return what `check` finds; whatever it raises is a finding too."""
    try:
        return check()
    except DropoutLabError as error:
        return Check(name, ok=False, found=error.message, mend=error.hint or "")
    except Exception as error:
        mend = "See packages; pip install --force-reinstall dropout_lab may mend it."
        return Check(name, ok=False, found=f"{type(error).__name__}: {error}", mend=mend)


def _print_checks(checks: list[Check]) -> None:
    from rich.text import Text

    console = stdout()
    for check in checks:
        state = Text("ok  ", "green") if check.ok else Text("MEND", "bold red")
        mend = "" if check.ok else f" -> {check.mend}"
        console.print(state, f"{check.name:<9} {check.found}{mend}", soft_wrap=True)
