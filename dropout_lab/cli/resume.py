"""``dropout-lab resume`` and ``sync``: go on with what was stopped, deliver what was kept back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json
from dropout_lab.cli.run import train_runs

if TYPE_CHECKING:
    from dropout_lab.execution.pending import PendingRun


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
    _go_on(pending, format_, otherwise="Nothing to resume: no run of this folder is unfinished.")


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

    trained = [one for one in pending_runs() if one.is_trained]
    _go_on(
        trained, format_, otherwise="Nothing to deliver: the tracking store has every result of this folder."
    )


def _go_on(pending: "Sequence[PendingRun]", format_: TextOrJson, *, otherwise: str) -> None:
    if pending:
        train_runs([one.run for one in pending], format_=format_)
    elif format_ is TextOrJson.JSON:
        print_json([])
    else:
        print(otherwise)
