"""Where a result comes from: the packages that it ran with, and the git commit of the current folder."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from dropout_lab import __version__

PACKAGES = ("tensorflow", "keras", "numpy", "mlflow")
GIT_SECONDS = 10.0


@dataclass(frozen=True)
class Provenance:
    """Tags of a run's origin.

    Attributes:
        tags: Versions, git commit, and whether files were changed since: ``true``, ``false`` or ``unknown``.
        note: Why git could not tell; empty if it could, or if there is no checkout.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def find_provenance(spec: str = "") -> Provenance:
    """Return the provenance of runs that are started in the current folder.

    Args:
        spec: Path of the spec file. One that git does not track makes the checkout count as changed,
            since the commit does not have it.
    """
    tags = {"dropout_lab.version": __version__, "versions.python": platform.python_version()}
    tags |= {f"versions.{package}": version(package) for package in PACKAGES}
    if not _in_checkout():
        return Provenance(tags)
    try:
        if commit := _git("rev-parse", "--verify", "--quiet", "HEAD", missing=1):
            tags["mlflow.source.git.commit"] = commit
        tags["dropout_lab.git_dirty"] = "unknown"
        changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
        if spec and not changed:
            # 128: outside the checkout, such as a pipe.
            changed = not _git("ls-files", "--error-unmatch", "--", spec, missing=(1, 128))
        tags["dropout_lab.git_dirty"] = str(changed).lower()
    except _GitError as error:
        tags["dropout_lab.git_dirty"] = "unknown"
        return Provenance(tags, f"The git state of this folder is unknown: {error}.")
    return Provenance(tags)


class _GitError(Exception):
    """Git could not tell."""


def _in_checkout() -> bool:
    ceilings = {Path(one) for one in os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep) if one}
    here = Path.cwd()
    for folder in (here, *here.parents):
        if folder != here and folder in ceilings:
            return False
        if (folder / ".git").exists():
            return True
    return False


def _git(*arguments: str, missing: int | tuple[int, ...] = ()) -> str:
    """Return what git prints; an empty string if its exit status is among `missing`."""
    try:
        result = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except subprocess.TimeoutExpired:
        raise _GitError(f"`git {arguments[0]}` took more than {GIT_SECONDS:g} s") from None
    except OSError:
        raise _GitError("git is not installed") from None
    if result.returncode == 0:
        return result.stdout.strip()
    if result.returncode in (missing if isinstance(missing, tuple) else (missing,)):
        return ""
    first_line = next(iter(result.stderr.strip().splitlines()), f"exit status {result.returncode}")
    raise _GitError(f"{first_line.removeprefix('fatal: ').removeprefix('error: ').rstrip('.')}")
