"""``dropout-lab doctor``: check what a run needs, and suggest fixes."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from dropout_lab import __version__
from dropout_lab.cli.console import TextOrJson, print_json, starting_tensorflow, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table
from dropout_lab.errors import DropoutLabError
from dropout_lab.reporting.tables import TextTable

MIN_PYTHON, END_PYTHON = (3, 11), (3, 14)
MIN_FREE_BYTES = 2**30
"""A study of 20 runs with their models takes about 150 MB."""

SHOWN_VERSIONS = ("keras", "mlflow", "numpy", "tensorflow")


@dataclass(frozen=True)
class Check:
    """Result of one check.

    Attributes:
        name: Subject of the check.
        ok: Whether a run can use it.
        found: State of the subject.
        fix: Remedy; empty if `ok`.
    """

    name: str
    ok: bool
    found: str
    fix: str = ""


@documented(
    "Check the environment and suggest fixes.",
    "Exits with code 1 if any check fails.",
    examples=[
        "dropout-lab doctor",
        "dropout-lab doctor --format json",
    ],
)
def doctor(
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
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
    """Check the version of the interpreter."""
    text = f"{'.'.join(map(str, version))} ({platform.machine()}), dropout_lab {__version__}"
    return _check(
        "python",
        MIN_PYTHON <= version[:2] < END_PYTHON,
        text,
        "Recreate the environment with Python 3.11, 3.12 or 3.13.",
    )


def _check(name: str, ok: bool, found: str, fix: str) -> Check:
    return Check(name, ok, found, "" if ok else fix)


def check_packages(
    requirements: list[str] | None = None, version_of: Callable[[str], str] = metadata.version
) -> Check:
    """Check installed packages against the bounds that this package declares.

    Args:
        requirements: Requirements as in pyproject.toml. [default: those of the installed dropout_lab]
        version_of: Function that returns the version of a distribution, or raises
            `metadata.PackageNotFoundError`.
    """
    from packaging.requirements import Requirement

    if requirements is None:
        requirements = metadata.requires("dropout_lab") or []

    def installed(name: str) -> str | None:
        try:
            return version_of(name)
        except metadata.PackageNotFoundError:
            return None

    problems, num_met, versions = [], 0, {}
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = installed(requirement.name)
        if version is None and requirement.name == "tensorflow":
            version = installed("tensorflow-cpu")
        if version is None:
            problems.append(f"{requirement} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{requirement} is required, but {version} is installed")
        else:
            num_met += 1
            versions[requirement.name] = version
    if installed("tensorflow") and installed("tensorflow-cpu"):
        return Check(
            "packages",
            ok=False,
            found="tensorflow and tensorflow-cpu are both installed and share one folder",
            fix="Run `pip uninstall tensorflow tensorflow-cpu`, then `pip install tensorflow`.",
        )
    if problems:
        fix = "In the checkout, run `pip install -c constraints.txt -e .`."
        return Check("packages", ok=False, found="; ".join(problems), fix=fix)
    shown = ", ".join(f"{name} {versions[name]}" for name in SHOWN_VERSIONS if name in versions)
    return Check(
        "packages", ok=True, found=f"all {num_met} requirements met" + (f" ({shown})" if shown else "")
    )


def check_keras() -> Check:
    """Check that Keras has the backend that the networks need, with the settings of a run."""
    with starting_tensorflow():
        from dropout_lab.training.devices import configure_keras, keras_settings

        configure_keras("float32")
    found = ", ".join(f"{name} {value}" for name, value in keras_settings().items())
    return Check("keras", ok=True, found=found)


def check_device() -> Check:
    """Check that TensorFlow starts, and find the device that ``device: auto`` takes."""
    with starting_tensorflow():
        from dropout_lab.training.devices import resolve_device

        device = resolve_device("auto")
    return Check(
        "device", ok=True, found=f"{device.device} {device.device_name}, {device.num_threads} threads"
    )


def check_data() -> Check:
    """Check that Fashion-MNIST is present and intact, without downloading it."""
    from dropout_lab.data.fashion_mnist import is_official
    from dropout_lab.data.idx_files import locate, read_files

    folder = locate()
    if folder is None:
        fix = "Run `dropout-lab data`. Specs with another data.dataset do not need it."
        return Check("data", ok=False, found="Fashion-MNIST is not on this machine", fix=fix)
    files = read_files(folder)
    official = is_official({name: file.checksum for name, file in files.items()})
    kind = "original files" if official else "other images, which match their SHA256SUMS"
    return Check("data", ok=True, found=f"{folder}: {kind}, checksums OK")


def check_tracking() -> Check:
    """Check that runs can be recorded: access, the right to write, and locks; records nothing."""
    from dropout_lab.tracking.checking import check_store

    location, exists = check_store()
    return Check(
        "tracking", ok=True, found=location.shown + ("" if exists else " (created by the first run)")
    )


def check_disk(folder: Path | None = None) -> Check:
    """Check the free space of `folder`, by default the current one."""
    folder = folder or Path.cwd()
    free = shutil.disk_usage(folder).free
    fix = f"Make room: at least {MIN_FREE_BYTES / 2**30:.0f} GiB of free disk space is required."
    return _check("disk", free >= MIN_FREE_BYTES, f"{free / 2**30:.1f} GiB free in {folder}", fix)


CHECKS: dict[str, Callable[[], Check]] = {
    "python": check_python,
    "packages": check_packages,
    "keras": check_keras,
    "device": check_device,
    "data": check_data,
    "tracking": check_tracking,
    "disk": check_disk,
}


def diagnose(name: str, check: Callable[[], Check]) -> Check:
    """Return the result of `check`; an exception is a failed check."""
    try:
        return check()
    except DropoutLabError as error:
        return Check(name, ok=False, found=error.message, fix=error.hint or "")
    except Exception as error:
        fix = "Reinstall: in the checkout, run `pip install --force-reinstall -c constraints.txt -e .`."
        return Check(name, ok=False, found=f"{type(error).__name__}: {error}", fix=fix)


def _print_checks(checks: list[Check]) -> None:
    rows = (
        ("ok" if check.ok else "FAIL", check.name, check.found + (f" -> {check.fix}" if check.fix else ""))
        for check in checks
    )
    print_table(stdout(), TextTable("", ("State", "Check", "Found"), tuple(rows)))
