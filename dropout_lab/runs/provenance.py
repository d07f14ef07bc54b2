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


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a run comes from.

    Attributes:
        versions: Versions of the packages that bear on the result, by package.
        git_commit: Empty without a checkout, or if git could not tell.
        git_dirty: Whether files were changed since; None without a checkout, or if git could not tell.
        note: Why git could not tell; empty if it could, or if there is no checkout.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str = ""
    git_dirty: bool | None = None
    note: str = ""


def find_provenance(spec: str = "") -> Provenance:
    """Return the provenance of runs that are started in the current folder.

    Args:
        spec: Path of the spec file. One that git does not track makes the checkout count as changed,
            since the commit does not have it.
    """
    versions = {"dropout_lab": __version__, "python": platform.python_version()}
    versions |= {package: version(package) for package in PACKAGES}
    if not _in_checkout():
        return Provenance(versions=versions)
    commit = ""
    try:
        commit = _git("rev-parse", "--verify", "--quiet", "HEAD", missing=1)
        changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
        if spec and not changed:
            # 128: outside the checkout, such as a pipe.
            changed = not _git("ls-files", "--error-unmatch", "--", spec, missing=(1, 128))
    except _GitError as error:
        note = f"The git state of this folder is unknown: {error}."
        return Provenance(versions=versions, git_commit=commit, note=note)
    return Provenance(versions=versions, git_commit=commit, git_dirty=changed)


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
