"""``dropout-lab promote``: register the model of a run under a name and an alias."""

import shlex
from dataclasses import asdict
from typing import Annotated

import typer

from dropout_lab.cli.completion import complete_run
from dropout_lab.cli.console import TextOrJson, is_quiet, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_text


@documented(
    "Register the model of a run under a name and an alias.",
    "Creates a version of the registered model, unless the run has one, and points the alias to it.",
    examples=[
        "dropout-lab promote dropout-seed0 --name clothes",
        "dropout-lab promote 5fcca736 --name clothes --alias challenger",
    ],
)
def promote(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="[EXPERIMENT/]RUN: run name, run ID, or unique ID prefix.",
            autocompletion=complete_run,
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the registered model.")],
    alias: Annotated[str, typer.Option(metavar="ALIAS", help="Alias of the version.")] = "champion",
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Promote the model of one run, and print its version."""
    with starting("MLflow"):
        from dropout_lab.tracking.registry import promote as promote_model

        done = promote_model(run, name=name, alias=alias)
    if format_ is TextOrJson.JSON:
        fields = asdict(done) | {"run": done.run.run_id, "uri": done.uri}
        print_json(fields)
        return
    console = stdout()
    verb = "is now" if done.is_new else "is"
    before = f" The alias was at version {done.previous}." if done.previous else ""
    print_text(
        console,
        f"{done.run.run_name} ({done.run.run_id[:8]}) {verb} version {done.version} of {done.name},"
        f" alias {done.alias}.{before}",
    )
    if not is_quiet():
        reference, uri = shlex.quote(f"{done.name}@{done.alias}"), shlex.quote(done.uri)
        print_text(console, f"Predict with it: `dropout-lab predict {reference} IMAGE...`")
        print_text(console, f"Serve it: `mlflow models serve -m {uri} --env-manager local`")
