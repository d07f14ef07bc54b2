"""``dropout-lab resume``, ``sync`` and ``discard``: the interrupted runs of this folder."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_run
from dropout_lab.cli.console import TextOrJson, print_json, progress, starting
from dropout_lab.cli.help import documented
from dropout_lab.cli.training import AddressOption, ExecutorOption, WorkersOption, starting_library
from dropout_lab.errors import UsageError

if TYPE_CHECKING:
    from dropout_lab.runs.executors import Workers
    from dropout_lab.runs.workspace import Workspace

Format = Annotated[TextOrJson, typer.Option("--format", help="Output format.")]
RUN_HELP = "[EXPERIMENT/]RUN: run name, run ID, or ID prefix."


@documented(
    "Resume interrupted runs in this folder.",
    "Results are identical to an uninterrupted run. Runs that cannot continue are named. A name of several "
    "runs resumes all of them.",
    examples=[
        "dropout-lab resume",
        "dropout-lab resume dropout-seed0",
        "dropout-lab resume --workers 2",
        "dropout-lab resume --executor ray --address head:6379",
    ],
)
def resume(
    run: Annotated[
        str | None,
        typer.Argument(help=f"{RUN_HELP} [default: all]", metavar="RUN", autocompletion=complete_run),
    ] = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = "local",
    address: AddressOption = None,
    format_: Format = TextOrJson.TEXT,
) -> None:
    """Continue the interrupted runs of this folder."""
    from dropout_lab.runs.choosing import choose_workspaces
    from dropout_lab.runs.resuming import workers_to_resume

    found = choose_workspaces(run)
    with workers_to_resume(found, starting_library, executor, workers, address) as plan:
        _continue(found, format_, plan, otherwise="No interrupted runs in this folder.")


@documented(
    "Upload results that were not logged.",
    "A result that is damaged is computed again.",
    examples=["dropout-lab sync"],
)
def sync(format_: Format = TextOrJson.TEXT) -> None:
    """Log the pending results of this folder."""
    from dropout_lab.runs.workspace import workspaces

    trained = [workspace for workspace in workspaces() if workspace.has_result]
    _continue(trained, format_, otherwise="Nothing to sync.")


@documented(
    "Discard interrupted runs in this folder.",
    "Deletes their checkpoints and results, and marks them as KILLED in MLflow. Asks first on a terminal. "
    "Refuses a name of several runs.",
    examples=[
        "dropout-lab discard dropout-seed0",
        "dropout-lab discard study/dropout-seed0",
        "dropout-lab discard --all --yes",
    ],
)
def discard(
    run: Annotated[
        str | None, typer.Argument(help=RUN_HELP, metavar="RUN", autocompletion=complete_run)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Discard all interrupted runs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete the workspaces of interrupted runs."""
    from dropout_lab.cli.sentences import answer, ask, warn
    from dropout_lab.runs.choosing import choose_workspace
    from dropout_lab.runs.workspace import workspaces

    if (run is None) != all_:
        raise UsageError("Name one run, or pass --all.", hint="`dropout-lab resume` shows what can continue.")
    found = workspaces() if run is None else [choose_workspace(run)]
    if not found:
        answer("No interrupted runs in this folder.")
        return
    names = ", ".join(workspace.name for workspace in found)
    if not yes and sys.stdin.isatty() and not ask(f"Discard {names}?"):
        answer("Nothing was discarded.")
        return
    with starting("MLflow"):
        from dropout_lab.runs.discarding import discard_all
    discard_all(found, warn, lambda name: answer(f"Discarded {name}."))


def _continue(
    found: "Sequence[Workspace]", format_: TextOrJson, plan: "Workers | None" = None, *, otherwise: str
) -> None:
    if not found:
        if format_ is TextOrJson.JSON:
            print_json([])
        else:
            from dropout_lab.cli.sentences import answer

            answer(otherwise)
        return
    from dropout_lab.cli.run_display import print_outcomes
    from dropout_lab.runs.display import RunDisplay
    from dropout_lab.runs.resuming import resume_workspaces

    at_once = plan is not None and plan.count > 1
    display = RunDisplay(len(found), progress(), at_once=at_once)
    report = resume_workspaces(found, display, starting_library, plan=plan)
    print_outcomes(report.outcomes, as_json=format_ is TextOrJson.JSON)
    report.raise_problems()
