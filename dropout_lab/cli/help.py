"""The help of each command, kept out of docstrings, which ``python -OO`` drops."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from typer.core import TyperArgument, TyperCommand

Command = TypeVar("Command", bound=Callable[..., Any])

VERBATIM = "\b\n"
"""Begins a paragraph whose lines Typer does not join and wrap."""


@dataclass(frozen=True)
class CommandHelp:
    """The help of one command.

    Attributes:
        text: A summary of at most 60 characters; further paragraphs follow after empty lines.
        epilog: The examples, printed after the options.
    """

    text: str
    epilog: str


EXAMPLE_WIDTH = 56
"""Columns of an example, which the help indents by four."""

HELP: dict[Callable[..., Any], CommandHelp] = {}
"""The help of every function that `documented` decorates."""


def _no_type(ctx: Any) -> None:
    del ctx


class PlainCommand(TyperCommand):
    """A command whose help shows arguments as they are typed: no Python types, and no braces around them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for parameter in self.params:
            if isinstance(parameter, TyperArgument):
                vars(parameter)["display_type_rich"] = _no_type

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line; required arguments stand bare, others in brackets."""
        return [re.sub(r"^\{(.*)\}", r"\1", piece) for piece in super().collect_usage_pieces(ctx)]


def command_lines(command: str, width: int) -> list[str]:
    """Return a command in lines that a shell joins again: all but the last end with a backslash.

    Args:
        command: The command.
        width: Columns of a line; an option stays with its value, and a longer word has a line of its own.
    """
    lines = [""]
    for word in re.findall(r"--?[\w-]+ [^-]\S*|\S+", command):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(joined) > width - len(" \\"):
            lines[-1] += " \\"
            lines.append("")
            joined = f"    {word}"
        lines[-1] = joined
    return lines


def documented(summary: str, *details: str, examples: Sequence[str]) -> Callable[[Command], Command]:
    """Return a decorator that records the help of a command.

    Args:
        summary: Imperative verb and object, one sentence.
        details: Further paragraphs.
        examples: Command lines, printed as they are, long ones over several lines.
    """
    lines = [f"  {line}" for example in examples for line in command_lines(example, EXAMPLE_WIDTH)]
    epilog = "\n".join([f"{VERBATIM}Examples:", *lines])

    def record(command: Command) -> Command:
        HELP[command] = CommandHelp("\n\n".join((summary, *details)), epilog)
        return command

    return record
