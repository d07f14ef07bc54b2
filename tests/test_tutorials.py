"""The README and the pages in docs/ work as they are written: a reader's steps are run in order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\S+\.(?:py|yaml))\n")
PAGES = sorted(path for path in DOCS.rglob("*.md") if BLOCK.search(path.read_text(encoding="utf-8")))
WITHOUT_STEPS = {
    "glossary.md",
    "references.md",
    "reference/spec.md",
    "reference/commands.md",
    "reference/python.md",
    "reference/runs.md",
    "reference/scope.md",
}
GENERATED = {"study/comparison.md", "study/reproduction.md"}


def name(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def as_script(page: str) -> str:
    """Return a shell script that does what the blocks of a page say.

    A block that begins with the name of a file is written to that file. Other Python is run. Text is output.
    """
    lines = ["set -eo pipefail"]
    for language, content in BLOCK.findall(page):
        named = FILE_NAME.match(content)
        if language == "text":
            continue
        if language == "sh":
            lines.append(content)
        elif named:
            lines.append(f"cat > {named[1]} <<'END'\n{content}END")
        else:
            assert language == "python", f"a block of {language} says neither what it is nor what runs it"
            lines.append(f"python - <<'END'\n{content}END")
    return "\n".join(lines)


def test_all_pages_but_those_to_look_something_up_have_steps():
    others = {name(page) for page in DOCS.rglob("*.md")} - {name(page) for page in PAGES}
    assert others == WITHOUT_STEPS | GENERATED


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_blocks_that_can_be_run(page):
    assert as_script(page.read_text(encoding="utf-8")).count("\n") > 1


def run(script: str, folder: Path, **environment: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=2400,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_of_a_page_runs(page, tmp_path):
    (tmp_path / "docs").symlink_to(DOCS)  # studies judge scores that are kept there
    run(as_script(page.read_text(encoding="utf-8")), tmp_path)


@pytest.mark.slow
def test_the_commands_of_the_readme_run(whole_dataset, tmp_path):
    """Those for setting up are the ones that CI uses, `ui` does not end, and the study takes hours."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    ((?:dropout-lab|cd) [^#\n]*)", text, re.MULTILINE)
    left_out = ("dropout-lab ui", "dropout-lab run experiments/study.yaml")
    commands = list(dict.fromkeys(line.strip() for line in commands))
    chosen = [line for line in commands if not line.startswith(left_out)]
    assert len(chosen) >= 8
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for name in ("experiments", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    # The study of one's own comes last: it changes the folder.
    own = next(number for number, line in enumerate(chosen) if line.startswith("dropout-lab init"))
    study, others = chosen[own : own + 4], chosen[:own] + chosen[own + 4 :]
    script = ["set -eo pipefail", *others, f"python - <<'END'\n{python}END", *study]
    run("\n".join(script), tmp_path, DROPOUT_LAB_DATA=str(whole_dataset))
