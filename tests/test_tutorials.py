"""The tutorials in docs/ work as they are written: every block is run, in order, as a reader would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\S+\.(?:py|yaml))\n")


def as_script(page: str) -> str:
    """Return a shell script that does what the blocks of a page say.

    A block that begins with the name of a file is written to that file. Other Python is run.
    """
    lines = ["set -eo pipefail"]
    for language, content in BLOCK.findall(page):
        named = FILE_NAME.match(content)
        if language == "sh":
            lines.append(content)
        elif named:
            lines.append(f"cat > {named[1]} <<'END'\n{content}END")
        else:
            assert language == "python", f"a block of {language} says neither what it is nor what runs it"
            lines.append(f"python - <<'END'\n{content}END")
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_blocks_that_can_be_run(page):
    assert as_script(page.read_text(encoding="utf-8")).count("\n") > 2


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_runs(page, tmp_path):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = as_script(page.read_text(encoding="utf-8"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
