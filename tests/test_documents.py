"""What the documents promise: links, commands and specs that exist, and plain English."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from dropout_lab.cli.app import app
from dropout_lab.spec import condition_settings, load_spec

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("experiments/**/*.yaml"),
    ]
)
BANNED = re.compile(
    r"\b(go(es|ing)? on|mend\w*|anew|(is|were) told|as they were|whose process is gone|it is there, is there"
    r"|none is|for want of|all the same|no matched twins|so many|by which|the rest\.|pictures?)\b",
    re.IGNORECASE,
)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_are_in_plain_english(path):
    text = re.sub(r"</?picture>", "", text_of(path))
    assert not [match[0] for match in BANNED.finditer(text)]


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.suffix == ".md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_lead_to_files(path):
    targets = re.findall(r"\]\(([^)#\s]+)", text_of(path)) + re.findall(
        r'src(?:set)?="([^"]+)"', text_of(path)
    )
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


def test_the_reference_lists_every_command():
    commands = set(get_command(app).commands)
    table = re.search(r"\| command \|.*?\n\n", text_of(ROOT / "docs/reference/commands.md"), re.DOTALL)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert {name for cell in cells for name in re.findall(r"`([a-z]+)", cell)} == commands


def test_the_readme_uses_commands_and_specs_that_exist():
    text = text_of(ROOT / "README.md")
    commands = set(get_command(app).commands)
    assert set(re.findall(r"^ +dropout-lab ([a-z]+)", text, re.MULTILINE)) <= commands
    assert all((ROOT / name).exists() for name in re.findall(r"experiments/[a-z]+\.yaml", text))
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"^    make ([a-z-]+)", text_of(ROOT / name), re.MULTILINE)) <= targets


def test_the_specs_in_the_guide_are_valid(tmp_path):
    whole, sizes = re.findall(r"```yaml\n(.*?)```", text_of(ROOT / "docs/specs.md"), re.DOTALL)
    grid = sizes[sizes.index("grid:") :]
    path = tmp_path / "rates.yaml"
    path.write_text(whole, encoding="utf-8")
    spec = load_spec(path)
    written = ["baseline", "half", "published"]
    assert list(condition_settings(spec)) == written
    assert spec.claims
    path.write_text(whole + grid, encoding="utf-8")
    with_grid = list(condition_settings(load_spec(path)))
    assert with_grid[:3] == written
    assert with_grid[3] == "dense-0_num_train-500"
    assert len(with_grid) == 7
