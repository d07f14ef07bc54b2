"""pyproject.toml, the constraints files, the workflow and the code agree; a built wheel works elsewhere."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from dropout_lab import __version__

# pydantic pins its core itself; jinja2 hands out what markupsafe makes.
PART_OF_ANOTHER = {"pydantic-core": "pydantic", "markupsafe": "jinja2"}


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


def requirements(lines) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pins(path: Path) -> dict[str, Version]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    matches = {line: re.fullmatch(r"([\w.-]+)==(\S+)", line) for line in lines}
    assert not [line for line, match in matches.items() if match is None]
    return {canonicalize_name(match[1]): Version(match[2]) for match in matches.values()}


def lower_bound(requirement: Requirement) -> Version:
    (bound,) = [clause.version for clause in requirement.specifier if clause.operator == ">="]
    return Version(bound)


def imported_modules(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.partition(".")[0]


def test_the_lowest_versions_are_pinned_at_the_bounds(project, repository):
    tested = requirements(project["dependencies"] + project["optional-dependencies"]["test"])
    pinned = pins(repository / "constraints-lowest.txt")
    assert {name: pinned[name] for name in tested} == {
        name: lower_bound(requirement) for name, requirement in tested.items()
    }


def test_the_pinned_versions_satisfy_the_bounds(project, repository):
    extras = project["optional-dependencies"]
    wanted = requirements(
        project["dependencies"] + extras["docs"] + extras["ray"] + extras["test"] + extras["dev"]
    )
    del wanted["dropout-lab"]
    pinned = pins(repository / "constraints.txt")
    assert not {
        name for name, requirement in wanted.items() if not requirement.specifier.contains(pinned[name])
    }


def test_every_imported_distribution_is_declared(project, repository):
    distributions = importlib.metadata.packages_distributions()
    modules = set(imported_modules(repository / "dropout_lab")) - {"dropout_lab"} - sys.stdlib_module_names
    extras = project["optional-dependencies"]
    declared = requirements(project["dependencies"] + extras["search"] + extras["ray"])
    providers = {
        module: {canonicalize_name(name) for name in distributions.get(module, [module])}
        for module in modules
    }
    assert not {
        module
        for module, names in providers.items()
        if not {PART_OF_ANOTHER.get(name, name) for name in names} & declared.keys()
    }


def test_the_workflows_run_make_alone_and_test_each_declared_python(project, repository):
    workflows = {
        path.stem: yaml.safe_load(path.read_text())["jobs"]
        for path in (repository / ".github" / "workflows").glob("*.yml")
    }
    commands = [
        step["run"]
        for jobs in workflows.values()
        for job in jobs.values()
        for step in job["steps"]
        if "run" in step
    ]
    assert len(commands) >= len(workflows)
    assert all(re.fullmatch(r"make [\w-]+ PYTHON=python", command) for command in commands)
    prefix = "Programming Language :: Python :: "
    declared = [line.removeprefix(prefix) for line in project["classifiers"] if line.startswith(prefix)]
    assert workflows["test"]["test"]["strategy"]["matrix"]["python"] == declared


def test_the_citation_names_this_version(repository):
    assert yaml.safe_load((repository / "CITATION.cff").read_text())["version"] == __version__


@pytest.mark.slow
def test_a_wheel_installed_outside_the_checkout_runs_the_smoke_spec(repository, subset, tmp_path):
    """The packages of this environment serve the wheel's own, which does not see the editable install."""
    source, elsewhere = tmp_path / "source", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(repository / "dropout_lab", source / "dropout_lab")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, source)
    shutil.copy(repository / "experiments" / "smoke.yaml", elsewhere)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", tmp_path, source], check=True
    )
    (wheel,) = tmp_path.glob("dropout_lab-*.whl")

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    (site_packages,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    # A .pth file inside a folder named by a .pth file is not read: the editable install stays out of sight.
    (site_packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [*pip, "--python", python, "install", *offline, "--ignore-installed", str(wheel)], check=True
    )

    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["DROPOUT_LAB_DATA"] = str(subset)

    def dropout_lab(*arguments: str) -> str:
        command = [python.with_name("dropout-lab"), *arguments]
        result = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = subprocess.run(
        [python, "-c", "import dropout_lab; print(dropout_lab.__file__)"],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site_packages)
    dropout_lab("run", "smoke.yaml")
    dropout_lab("compare", "smoke", "--report", "report.html", "--plots", "plots")
    assert "<html" in (elsewhere / "report.html").read_text(encoding="utf-8")
    assert list((elsewhere / "plots").glob("*.png"))
