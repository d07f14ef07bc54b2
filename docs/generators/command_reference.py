"""The reference of the commands, from the Typer application."""

import re

from pieces import block, code, table
from typer.main import get_command

from dropout_lab.cli.app import app


def command_reference() -> str:
    program = get_command(app)
    return "\n\n".join(_section(name, command) for name, command in program.commands.items())


def _section(name: str, command) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(["dropout-lab", name, *command.collect_usage_pieces(context)])
    records = [
        (parameter.param_type_name, *record)
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context))
    ]
    parts = [f"## {name}", command.help, block(usage, "text")]
    for kind in ("argument", "option"):
        rows = [(code(_named(what)), _escaped(text)) for of, what, text in records if of == kind]
        if rows:
            parts.append(table((kind.capitalize(), "Meaning"), rows))
    examples = command.epilog.partition("Examples:\n")[2]
    parts.append(block(re.sub("^  ", "", examples, flags=re.MULTILINE), "sh"))
    return "\n\n".join(parts)


def _named(what: str) -> str:
    """Return ``SPEC`` for the argument ``SPEC <path>``; the choices of an option stay."""
    return what if what.startswith("-") else what.partition(" <")[0]


def _escaped(text: str) -> str:
    return re.sub(r"([>\[\]*_])", r"\\\1", text).replace("<", "&lt;")
