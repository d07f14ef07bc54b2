"""What all benchmarks share: a description of the machine, Markdown tables and RESULTS.md's sections."""

import importlib.metadata
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "RESULTS.md"


def machine() -> str:
    """Return one line about the hardware and the packages, without names of persons or places."""
    # Imported late: it loads TensorFlow and sets its environment, which child processes would inherit.
    from dropout_lab.training.processor import cpu_name, instruction_set

    packages = []
    for name in ("tensorflow", "keras", "numpy", "torch"):
        try:
            packages.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    memory = psutil.virtual_memory().total / 2**30
    num_cpus = len(psutil.Process().cpu_affinity()) if platform.system() == "Linux" else psutil.cpu_count()
    return (
        f"{cpu_name()} ({instruction_set()}), {num_cpus} CPUs, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(packages)}"
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_section(title: str, text: str) -> None:
    """Write ``## title`` and `text` into RESULTS.md, in place of the section of that title."""
    old = RESULTS.read_text() if RESULTS.exists() else "# Benchmark results\n"
    section = f"## {title}\n\n{text.strip()}\n"
    start, *rest = re.split(rf"^## {re.escape(title)}\n", old, maxsplit=1, flags=re.MULTILINE)
    following = re.search(r"^## ", rest[0], flags=re.MULTILINE) if rest else None
    end = rest[0][following.start() :] if rest and following else ""
    RESULTS.write_text("\n".join([start.rstrip() + "\n", section, end]).rstrip() + "\n")
