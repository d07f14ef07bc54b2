"""The help of each command, kept out of docstrings, which ``python -OO`` drops."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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


HELP: dict[Callable[..., Any], CommandHelp] = {}
"""The help of every function that `documented` decorates."""


def documented(summary: str, *details: str, examples: Sequence[str]) -> Callable[[Command], Command]:
    """Return a decorator that records the help of a command.

    Args:
        summary: Imperative verb and object, one sentence.
        details: Further paragraphs.
        examples: Command lines, printed as they are.
    """
    epilog = f"{VERBATIM}Examples:\n" + "\n".join(f"  {example}" for example in examples)

    def record(command: Command) -> Command:
        HELP[command] = CommandHelp("\n\n".join((summary, *details)), epilog)
        return command

    return record
