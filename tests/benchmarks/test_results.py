"""Results of a machine that is not quiet are marked, and not written."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def results(repository: Path, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("results", repository / "benchmarks" / "results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.RESULTS = tmp_path / "RESULTS.md"
    return module


@pytest.fixture
def times(results: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Seconds by the clock, of CPU in all processes and in this one's, which a test moves on."""
    now = {"clock": 50.0, "all": 700.0, "own": 20.0}
    monkeypatch.setattr(results.OtherProcesses, "_times", staticmethod(lambda: tuple(now.values())))
    monkeypatch.setattr(results, "others", results.OtherProcesses())
    return now


def later(times: dict[str, float], *, others: float) -> None:
    """Let 100 seconds pass, in which this benchmark takes 150 seconds of CPU."""
    times["clock"] += 100
    times["own"] += 150
    times["all"] += 150 + others


def test_the_load_is_what_others_took_of_the_cpu(results: ModuleType, times: dict[str, float]) -> None:
    later(times, others=90.0)
    assert results.others.num_cpus_busy() == pytest.approx(0.9)
    later(times, others=0.0)
    assert results.others.num_cpus_busy() == pytest.approx(0.45)


def test_a_section_is_replaced_on_a_quiet_machine(results: ModuleType, times: dict[str, float]) -> None:
    results.RESULTS.write_text("# Benchmark results\n\n## One\n\nold\n\n## Two\n\nkept\n")
    later(times, others=5.0)
    results.write_section("One", "new")
    assert results.RESULTS.read_text() == "# Benchmark results\n\n## One\n\nnew\n\n## Two\n\nkept\n"


def test_times_of_a_busy_machine_are_not_written(results: ModuleType, times: dict[str, float]) -> None:
    results.RESULTS.write_text("as it was")
    later(times, others=90.0)
    with pytest.raises(SystemExit, match=r"kept 0\.90 CPUs busy .*RESULTS\.md is unchanged"):
        results.write_section("One", "new")
    assert results.RESULTS.read_text() == "as it was"
    results.write_section("One", "no times", are_times=False)
    assert "no times" in results.RESULTS.read_text()


def test_the_machine_is_described_with_its_load(
    results: ModuleType, times: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_onednn_default", lambda: "off")
    later(times, others=5.0)
    assert "oneDNN off by default)" in results.machine()
    assert results.machine().endswith("; other processes kept 0.05 CPUs busy")
    later(times, others=90.0)
    assert results.machine().endswith(results.NOT_QUIET)


def test_descendants_are_no_others(results: ModuleType) -> None:
    """Their CPU time is counted as the benchmark's own, while they run and after they end."""
    _, _, before = results.OtherProcesses._times()
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    _, _, running = results.OtherProcesses._times()
    child.communicate(b"\n")
    _, _, ended = results.OtherProcesses._times()
    assert running - before >= 0.25
    assert ended - before >= 0.25
