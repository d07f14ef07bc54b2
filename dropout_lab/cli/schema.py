"""``dropout-lab schema``: the JSON Schema for spec files, for editors."""

from dropout_lab.cli.help import documented


@documented(
    "Print the JSON Schema for spec files.",
    "Editors use it for completion and validation; the first line of each file in experiments/ names it.",
    examples=["dropout-lab schema > docs/spec.schema.json"],
)
def schema() -> None:
    """Print the JSON Schema."""
    from dropout_lab.cli.console import print_json
    from dropout_lab.spec import json_schema

    print_json(json_schema())
