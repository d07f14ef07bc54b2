"""How long the command line takes to answer, against a bare Typer application with two commands.

python benchmarks/cold_start.py [--write]
"""

import argparse
import statistics
import subprocess
import sys
import time

from results import machine, markdown_table, write_section

ROUNDS = 11
BARE = """
import typer
app = typer.Typer()
@app.command()
def one(names: list[str], size: int = 1) -> None: ...
@app.command()
def two(name: str, size: float = 1.0) -> None: ...
app(ARGUMENTS)
"""
OURS = "from dropout_lab.cli.app import main; import sys; sys.argv[1:] = ARGUMENTS; main()"
COMMANDS = (
    "run",
    "compare",
    "plan",
    "show",
    "diff",
    "runs",
    "resume",
    "sync",
    "ui",
    "data",
    "schema",
    "doctor",
)


def seconds(code: str, *arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code.replace("ARGUMENTS", repr(list(arguments)))],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = []
    for command in ((), *((name,) for name in COMMANDS)):
        bare = ("one", "--help") if command else ("--help",)
        ratios = [seconds(OURS, *command, "--help") / seconds(BARE, *bare) for _ in range(ROUNDS)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rows.append(
            [" ".join(("dropout-lab", *command, "--help")), f"{middle:.2f}", f"{low:.2f} to {high:.2f}"]
        )
        print(*rows[-1])
    text = f"{machine()}; {ROUNDS} pairs each.\n\n" + markdown_table(
        ["command", "times a bare Typer application's `--help`", "quartiles"], rows
    )
    if options.write:
        write_section("Cold start", text)


if __name__ == "__main__":
    main()
