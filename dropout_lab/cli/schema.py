"""``dropout-lab schema``: the JSON schema of a spec file, for editors."""

EXAMPLES = """Examples:

  dropout-lab schema > docs/spec.schema.json
"""


def schema() -> None:
    """Print the JSON schema of a spec file, by which editors complete and check it.

    The files in experiments/ name it in their first line.
    """
    from dropout_lab.cli.console import print_json
    from dropout_lab.spec import json_schema

    print_json(json_schema())


schema.__doc__ = f"{schema.__doc__}\n\n{EXAMPLES}"
