"""``dropout-lab resume`` and ``sync``: go on with what was stopped, deliver what was kept back."""

from typing import Annotated

import typer

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.run import train_runs


def resume(
    run: Annotated[
        str | None,
        typer.Argument(help="Run id, its beginning, or the run's name; by default all.", metavar="[RUN]"),
    ] = None,
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the results.")
    ] = TextOrJson.TEXT,
) -> None:
    """Go on with runs of this folder that were stopped, to the result that they would have had.

    Examples:

      dropout-lab resume

      dropout-lab resume dropout-seed0
    """
    from dropout_lab.execution.pending import choose_pending

    pending = choose_pending(run)
    for one in pending:
        one.require_same_versions()
    if pending:
        train_runs([one.run for one in pending], format_=format_)
    else:
        print("Nothing to resume: no run of this folder is unfinished.")


def sync(
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the results.")
    ] = TextOrJson.TEXT,
) -> None:
    """Deliver finished results that the tracking store did not take when they were made.

    Example:

      dropout-lab sync
    """
    from dropout_lab.execution.pending import pending_runs

    trained = [one.run for one in pending_runs() if one.is_trained]
    if trained:
        train_runs(trained, format_=format_)
    else:
        print("Nothing to deliver: the tracking store has every result of this folder.")
