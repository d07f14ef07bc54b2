"""What commands that train share: the option for workers, and what is shown while a library starts."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Literal

import typer

from dropout_lab.cli.console import starting, starting_tensorflow

WorkersOption = Annotated[
    str | None,
    typer.Option(
        help="Processes that train at once: a number or auto. [default: this process alone]", metavar="N"
    ),
]
ExecutorOption = Annotated[
    str, typer.Option(help="Where runs are trained: local or ray, a Ray cluster.", metavar="NAME")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster: HOST:PORT of its head node, auto or local. "
        "[default: $RAY_ADDRESS, else the one on this host, else a new one]",
        metavar="ADDRESS",
    ),
]


def starting_library(library: Literal["TensorFlow", "MLflow", "Ray"]) -> AbstractContextManager[None]:
    """Return what is entered while a library starts: it shows that, and hides what native code logs."""
    if library == "TensorFlow":
        return starting_tensorflow()
    if library == "Ray":
        return starting(library)
    has_database = "MLFLOW_TRACKING_URI" in os.environ or Path("mlflow.db").exists()
    return starting("MLflow" if has_database else "MLflow and creating mlflow.db (first run only)")
