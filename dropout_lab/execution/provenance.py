"""Where a result comes from: the code, its state in git, and the packages that it ran with."""

import platform
import subprocess
from importlib.metadata import version

from dropout_lab import __version__

PACKAGES = ("tensorflow", "keras", "numpy", "mlflow")


def provenance_tags() -> dict[str, str]:
    """Return the tags that say which versions and which git commit a run comes from."""
    tags = {"dropout_lab.version": __version__, "versions.python": platform.python_version()}
    tags |= {f"versions.{package}": version(package) for package in PACKAGES}
    commit = _git("rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["dropout_lab.git_dirty"] = str(
            bool(_git("status", "--porcelain", "--untracked-files=no"))
        ).lower()
    return tags


def _git(*arguments: str) -> str:
    """Return what git says of the current folder; nothing where there is no git or no checkout."""
    try:
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
