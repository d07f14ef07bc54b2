"""Sentences on the terminal, wrapped between words: answers on stdout, all others on stderr."""

import typer

from dropout_lab.cli.console import is_quiet, stderr, stdout
from dropout_lab.cli.layout import wrap
from dropout_lab.cli.tables import print_text

_ANSWERS = " [y/N]: "


def answer(text: str) -> None:
    """Print what the command did or found."""
    print_text(stdout(), text)


def warn(text: str) -> None:
    """Print what the user must know."""
    print_text(stderr(), text)


def remark(text: str) -> None:
    """Print a hint or progress, unless only results are asked for."""
    if not is_quiet():
        print_text(stderr(), text)


def ask(question: str) -> bool:
    """Return whether the user confirms; the default is no."""
    console = stderr()
    lines = wrap(console.clean(question), console.width - len(_ANSWERS))
    return typer.confirm("\n".join(lines), err=True)
