"""The command line: its commands, and how failures end the program."""

import errno
import os
import sys
import traceback
from typing import Annotated, TextIO

import typer

from dropout_lab.cli.common_options import with_common_options
from dropout_lab.cli.compare import compare
from dropout_lab.cli.console import printable, set_output_style, stderr
from dropout_lab.cli.data import data
from dropout_lab.cli.delete import delete
from dropout_lab.cli.diff import diff
from dropout_lab.cli.doctor import doctor
from dropout_lab.cli.evaluate import evaluate
from dropout_lab.cli.export import export, import_
from dropout_lab.cli.help import HELP, VERBATIM, PlainCommand, documented
from dropout_lab.cli.init import init
from dropout_lab.cli.judge import judge
from dropout_lab.cli.plan import plan
from dropout_lab.cli.predict import predict
from dropout_lab.cli.process import prepare_process
from dropout_lab.cli.promote import promote
from dropout_lab.cli.resume import discard, resume, sync
from dropout_lab.cli.run import run
from dropout_lab.cli.runs import runs
from dropout_lab.cli.schema import schema
from dropout_lab.cli.show import show
from dropout_lab.cli.tables import print_text
from dropout_lab.cli.ui import ui
from dropout_lab.errors import DropoutLabError, Interrupted, UsageError, did_you_mean

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
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@documented(
    "Show the help of a command.",
    examples=["dropout-lab help compare"],
)
def help_(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(metavar="COMMAND", help="Command.")] = None,
) -> None:
    """Print the help of one command, or of the program."""
    program = context.find_root()
    if command is None:
        print(program.get_help())
        return
    known = program.command.commands  # type: ignore[attr-defined]
    if command not in known:
        raise UsageError(f"No command is named {command!r}{did_you_mean(command, list(known))}")
    known[command].make_context(command, ["--help"], parent=program)


COMMANDS = (
    *(init, run, evaluate, compare, judge, plan, show, diff, runs, resume, sync, discard),
    *(predict, promote, export, import_, delete, ui, data, schema, doctor),
)
DETAILED = (compare, judge, show, runs)
for command in COMMANDS:
    app.command(
        command.__name__.rstrip("_"),
        cls=PlainCommand,
        help=HELP[command].text,
        epilog=HELP[command].epilog,
    )(with_common_options(command, has_details=command in DETAILED))
app.command("help", cls=PlainCommand, help=HELP[help_].text, epilog=HELP[help_].epilog)(help_)


def main() -> None:
    """Run the command line and exit: 0 success, 1 failure, 2 invalid input, 128 + n stopped by signal n."""
    prepare_process()
    code = _main()
    sys.exit(code if _flush() else code or 1)


def _main() -> int:
    try:
        code = app(prog_name="dropout-lab", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except DropoutLabError as error:
        _print_message(
            "Interrupted" if isinstance(error, Interrupted) else "Error", error.message, error.hint
        )
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _discard(sys.stdout)
        return 141
    except Exception as error:
        return _other_failure(error)
    finally:
        set_output_style()  # for the next call in this process


def _other_failure(error: Exception) -> int:
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        context = getattr(error, "ctx", None)
        help_ = f"See `{context.command_path} --help`." if context else None
        _print_message("Error", error.format_message(), help_)
        return int(error.exit_code)
    if os.environ.get("DROPOUT_LAB_TRACEBACK"):
        print(printable("".join(traceback.format_exception(error))), file=sys.stderr, end="")
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        free = "Free disk space. " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        _print_message(
            "Error",
            f"{where}{error.strerror or error}",
            f"{free}Progress is saved: continue with `dropout-lab resume`.",
        )
    else:
        _print_message(
            "Error",
            f"Unexpected {type(error).__name__}: {error}",
            "This is a bug in dropout_lab. Please report it with the output of `dropout-lab doctor`; "
            "DROPOUT_LAB_TRACEBACK=1 shows the traceback.",
        )
    return 1


def _print_message(kind: str, message: str, hint: str | None = None) -> None:
    try:
        console = stderr()
        print_text(console, message, lead=f"{kind}: ")
        if hint:
            print_text(console, hint)
    except OSError:
        pass  # stderr is full or its reader is gone; the exit code still says what happened


def _flush() -> bool:
    """Flush both streams; report a result that could not be written."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            done = False
            _discard(stream)
            if not isinstance(error, BrokenPipeError) and stream is sys.stdout:
                _other_failure(error)
    return done


def _discard(stream: TextIO) -> None:
    """Send what `stream` still holds nowhere; else Python fails to write it again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1 if stream is sys.stdout else 2)
    os.close(null)
