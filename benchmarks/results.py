"""What all benchmarks share: a description of the machine, Markdown tables and RESULTS.md's sections.

Times are results only if nothing else computed meanwhile. A process that keeps one of two CPUs busy leaves
every contestant one thread, so that ratios of elapsed times change, too. So the CPU time that others took
since this module was imported is stated with the machine, and times are not written if it is too much.
"""

import contextlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "RESULTS.md"
QUIET = 0.1
"""CPUs that others may keep busy on average."""
NOT_QUIET = " (NOT QUIET: these times are no results)"


class OtherProcesses:
    """CPU time that processes other than this one and its descendants take, from now on."""

    def __init__(self) -> None:
        self._began = self._times()

    def num_cpus_busy(self) -> float:
        """Return how many of this process's CPUs they kept busy, on average."""
        seconds, busy, own = (now - then for now, then in zip(self._times(), self._began, strict=True))
        return max(0.0, busy - own) / max(seconds, 1e-9)

    @contextlib.contextmanager
    def not_counting(self) -> Iterator[None]:
        """Leave out what happens in this context: processes that Ray starts and ends are not known as own."""
        before = self._times()
        try:
            yield
        finally:
            passed = (now - then for now, then in zip(self._times(), before, strict=True))
            self._began = tuple(began + part for began, part in zip(self._began, passed, strict=True))

    @staticmethod
    def _times() -> tuple[float, float, float]:
        """Return seconds by the clock, of CPU in all processes, and of CPU in this one and below it."""
        me = psutil.Process()
        cpus = psutil.cpu_times(percpu=True)
        mine = me.cpu_affinity() if platform.system() == "Linux" else range(len(cpus))
        busy = sum(sum(cpus[i]) - cpus[i].idle - getattr(cpus[i], "iowait", 0.0) for i in mine)
        own = 0.0
        for process in [me, *me.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                # Its own and those of its finished children, in user and in system mode.
                own += sum(process.cpu_times()[:4])
        return time.monotonic(), busy, own


others = OtherProcesses()


def machine() -> str:
    """Return one line about the hardware, its load and the packages, without names of persons or places."""
    # Imported late: it loads TensorFlow and sets its environment, which child processes would inherit.
    from dropout_lab.training.processor import cpu_name, instruction_set

    busy = others.num_cpus_busy()
    load = f"other processes kept {busy:.2f} CPUs busy" + (NOT_QUIET if busy > QUIET else "")

    packages = []
    for name in ("tensorflow", "keras", "numpy", "torch"):
        try:
            packages.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    memory = psutil.virtual_memory().total / 2**30
    num_cpus = len(psutil.Process().cpu_affinity()) if platform.system() == "Linux" else psutil.cpu_count()
    return (
        f"{cpu_name()} ({instruction_set()}; oneDNN {_onednn_default()} by default), {num_cpus} CPUs, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, {', '.join(packages)}; "
        f"{load}"
    )


def _onednn_default() -> str:
    """Return ``on`` or ``off``: what TensorFlow chooses on this processor without being told."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    code = "from dropout_lab.training.processor import onednn; print(onednn())"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return output.split()[-1]


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_section(title: str, text: str, *, are_times: bool = True) -> None:
    """Write ``## title`` and `text` into RESULTS.md, in place of the section of that title.

    If `text` reports times and the machine was not quiet, the process ends with a message instead.
    """
    busy = others.num_cpus_busy()
    if are_times and busy > QUIET:
        sys.exit(
            f"Other processes kept {busy:.2f} CPUs busy (allowed: {QUIET}); {RESULTS.name} is unchanged."
            " Stop them and repeat the benchmark."
        )
    old = RESULTS.read_text() if RESULTS.exists() else "# Benchmark results\n"
    section = f"## {title}\n\n{text.strip()}\n"
    start, *rest = re.split(rf"^## {re.escape(title)}\n", old, maxsplit=1, flags=re.MULTILINE)
    following = re.search(r"^## ", rest[0], flags=re.MULTILINE) if rest else None
    end = rest[0][following.start() :] if rest and following else ""
    RESULTS.write_text("\n".join([start.rstrip() + "\n", section, end]).rstrip() + "\n")
