"""``dropout-lab resume`` and ``sync``: go on with what was stopped, deliver what was kept back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json
from dropout_lab.cli.help import documented
from dropout_lab.cli.run import train_runs

if TYPE_CHECKING:
    from dropout_lab.execution.pending import PendingRun


@documented(
    "Resume interrupted runs in this folder.",
    "Results are identical to an uninterrupted run.",
    examples=[
        "dropout-lab resume",
        "dropout-lab resume dropout-seed0",
    ],
)
def resume(
    run: Annotated[
        str | None,
        typer.Argument(help="Run id, its beginning, or the run's name; by default all.", metavar="[RUN]"),
    ] = None,
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the results.")
    ] = TextOrJson.TEXT,
) -> None:
    """Train the pending runs of this folder."""
    from dropout_lab.execution.pending import choose_pending

    pending = choose_pending(run)
    for one in pending:
        one.require_same_versions()
    _go_on(pending, format_, otherwise="Nothing to resume: no run of this folder is unfinished.")


@documented(
    "Upload results that could not be logged earlier.",
    examples=["dropout-lab sync"],
)
def sync(
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the results.")
    ] = TextOrJson.TEXT,
) -> None:
    """Log the pending results of this folder."""
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
