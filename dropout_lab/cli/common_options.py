"""Options that every command takes: how much it prints, in color or not, and to which file."""

import inspect
import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from dropout_lab.cli.console import Color, set_output_style
from dropout_lab.errors import DropoutLabError, UsageError
from dropout_lab.files import write_atomically

SUFFIXES = {
    ".txt": ("text", "table"),
    ".md": ("markdown",),
    ".csv": ("csv",),
    ".json": ("json",),
    ".tex": ("latex",),
}
"""Formats that a suffix stands for; a command offers at most one of them."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more details.")]
ColorChoice = Annotated[
    Color, typer.Option("--color", help="Color the output. [default: on a terminal]", show_default=False)
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file, in the format of its suffix."),
]


def with_common_options(command: Callable[..., Any], *, has_details: bool = False) -> Callable[..., Any]:
    """Return `command` with the options that every command takes.

    Args:
        command: The command. It gets `--output` if it has a `--format`.
        has_details: Whether it prints more with `--verbose`.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    formats = _formats(hints["format_"]) if "format_" in hints else ()
    extra: dict[str, tuple[Any, Any]] = {"output": (Output, None)} if formats else {}
    extra["quiet"] = (Quiet, False)
    if has_details:
        extra["verbose"] = (Verbose, False)
    extra["color"] = (ColorChoice, Color.AUTO)

    @wraps(command)
    def run(**arguments: Any) -> None:
        output: Path | None = arguments.pop("output", None)
        color = arguments.pop("color") if output is None else arguments.pop("color") and Color.NEVER
        set_output_style(quiet=arguments.pop("quiet"), verbose=arguments.pop("verbose", False), color=color)
        if output is None:
            command(**arguments)
        else:
            _run_into(output, command, arguments, formats)

    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in extra.items()
    ]
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in signature.parameters.items()
    ]
    run.__signature__ = signature.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]
    run.__annotations__ = hints | {name: annotation for name, (annotation, _) in extra.items()}
    return run


def _formats(annotation: Any) -> tuple[str, ...]:
    choices, *_ = get_args(annotation)
    return tuple(map(str, get_args(choices) or choices))


def _run_into(
    output: Path, command: Callable[..., Any], arguments: dict[str, Any], formats: tuple[str, ...]
) -> None:
    """Run a command and write what it prints to the file `output`, whole or not at all."""
    if not output.parent.is_dir():
        raise UsageError(f"--output: directory {output.parent} does not exist")
    if not os.access(output.parent, os.W_OK):
        raise UsageError(f"--output: no permission to write to {output.parent}")
    if output.suffix == ".html" and "report" in arguments:
        command(**{**arguments, "report": output})
        return
    fitting = [name for name in SUFFIXES.get(output.suffix, ()) if name in formats]
    if not fitting:
        allowed = [suffix for suffix, names in SUFFIXES.items() if set(names) & set(formats)]
        allowed += [".html"] if "report" in arguments else []
        raise UsageError(f"--output: unknown suffix of {output} (allowed: {', '.join(allowed)})")
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            command(**{**arguments, "format_": type(arguments["format_"])(fitting[0])})
    except BaseException:
        with suppress(DropoutLabError):  # the command's own failure says more
            _write(output, printed.getvalue())  # what it found before
        raise
    _write(output, printed.getvalue())


def _write(output: Path, text: str) -> None:
    """Write what a command has printed; if that fails, print it, so that it is not lost."""
    if not text:
        return
    try:
        write_atomically(output, text.encode())
    except OSError as error:
        sys.stdout.write(text)
        raise DropoutLabError(f"--output: cannot write {output}: {error.strerror}") from error
