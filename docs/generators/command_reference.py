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
        (parameter.param_type_name, *parameter.get_help_record(context))
        for parameter in command.get_params(context)
        if parameter.get_help_record(context)
    ]
    parts = [f"## {name}", command.help, block(usage, "text")]
    for kind in ("argument", "option"):
        rows = [(code(_without_type(what)), _escaped(text)) for of, what, text in records if of == kind]
        if rows:
            parts.append(table((kind.capitalize(), "Meaning"), rows))
    examples = command.epilog.partition("Examples:\n")[2]
    parts.append(block(re.sub("^  ", "", examples, flags=re.MULTILINE), "sh"))
    return "\n\n".join(parts)


def _without_type(argument: str) -> str:
    """Return ``SPEC`` for ``SPEC <list[Path]>``; the choices of an option stay."""
    return re.sub(r" <.*>$", "", argument)


def _escaped(text: str) -> str:
    return re.sub(r"([<>\[\]*_])", r"\\\1", text)
