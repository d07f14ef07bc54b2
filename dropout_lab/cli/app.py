"""The command line: which commands there are, and how their failures end the program."""

import errno
import os
import sys
import traceback
from typing import Annotated

import typer

from dropout_lab.cli.compare import compare
from dropout_lab.cli.console import printable
from dropout_lab.cli.data import data
from dropout_lab.cli.diff import diff
from dropout_lab.cli.doctor import doctor
from dropout_lab.cli.help import HELP, VERBATIM
from dropout_lab.cli.plan import plan
from dropout_lab.cli.resume import resume, sync
from dropout_lab.cli.run import run
from dropout_lab.cli.runs import runs
from dropout_lab.cli.schema import schema
from dropout_lab.cli.show import show
from dropout_lab.cli.ui import ui
from dropout_lab.errors import DropoutLabError
from dropout_lab.redaction import redact

EPILOG = f"""{VERBATIM}Exit codes:
  0        success
  1        failure; finished work is kept
  2        invalid input; nothing was started
  130      interrupted; `dropout-lab resume` continues
  128 + n  stopped by signal n

{VERBATIM}Start with:
  dropout-lab run experiments/smoke.yaml"""

app = typer.Typer(
    name="dropout-lab",
    help="Measure what dropout does: train matched networks, track them in MLflow, and compare the results.",
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(requested: bool) -> None:
    if requested:
        from dropout_lab import __version__

        print(f"dropout-lab {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


for command in (run, compare, plan, show, diff, runs, resume, sync, ui, data, schema, doctor):
    app.command(help=HELP[command].text, epilog=HELP[command].epilog)(command)


def main() -> None:
    """Run the command line and exit: 0 done, 1 failure inside, 2 bad input, 128 + n stopped by signal n."""
    sys.exit(_main())


def _main() -> int:
    try:
        code = app(prog_name="dropout-lab", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except DropoutLabError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _say("Stopped.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as error:
        return _other_failure(error)


def _other_failure(error: Exception) -> int:
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return int(error.exit_code)
    if os.environ.get("DROPOUT_LAB_TRACEBACK"):
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr, end="")
        return 1
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        make_room = "Make room on the disk. " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        _say(
            f"{where}{error.strerror or error}",
            f"{make_room}What was saved before is kept: `dropout-lab resume` goes on from there.",
        )
        return 1
    _say(
        f"Unexpected {type(error).__name__}: {error}",
        "This is a defect of dropout_lab. DROPOUT_LAB_TRACEBACK=1 shows where; please report it.",
    )
    return 1


def _say(message: str, hint: str | None = None) -> None:
    print(f"Error: {printable(message)}", file=sys.stderr)
    if hint:
        print(printable(hint), file=sys.stderr)
