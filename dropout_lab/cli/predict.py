"""``dropout-lab predict``: classify images with a trained model."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropout_lab.cli.completion import complete_model
from dropout_lab.cli.console import TextOrJson, print_json, progress, starting_tensorflow, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.api.predicting import Predictions


UNCERTAINTY = ("predictive entropy", "mutual information")


class Scale(StrEnum):
    """Scaling of stored values."""

    AUTO = "auto"
    UNIT = "unit"
    NONE = "none"


@documented(
    "Classify images with a trained model.",
    "Values are scaled as in training. Images get the size and the color mode of the model, with a message. "
    "Models that read only arrays take .npy files: one example, or a batch.",
    examples=[
        "dropout-lab predict dropout-seed0 photo.png",
        "dropout-lab predict study/dropout-seed0 photos/ --format json",
        "dropout-lab predict clothes@champion photo.jpg --mc-samples 50",
        "dropout-lab predict model.keras photo.png -o out.json",
    ],
)
def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="[EXPERIMENT/]RUN, registered NAME@ALIAS, .keras file, or model folder.",
            autocompletion=complete_model,
        ),
    ],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="PNG, JPEG or .npy files, or folders of them.")
    ],
    mc_samples: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Average N samples with dropout on, and print their uncertainty in nats."
        ),
    ] = 0,
    scale: Annotated[
        Scale,
        typer.Option(help="auto: as in training; unit: pixels / 255; none: values as the network sees them."),
    ] = Scale.AUTO,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Predict the class of each image, and print it with its probability."""
    with starting_tensorflow():
        from dropout_lab.api.predicting import predict as predict_images

        found = predict_images(model, images, mc_samples=mc_samples, scale=scale.value)
    for note in found.notes:
        print_text(progress(), note)
    if format_ is TextOrJson.JSON:
        print_json(_fields(found))
        return
    headings = ("image", "class", "probability", *(UNCERTAINTY if mc_samples else ()))
    print_table(stdout(), TextTable("", headings, tuple(map(_cells, found.rows))))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    uncertainty = (f"{row[name]:.3f}" for name in ("entropy", "mutual_information") if name in row)
    return (row["image"], row["class"], f"{row['probability']:.1%}", *uncertainty)


def _fields(found: "Predictions") -> dict[str, object]:
    return {
        "model": found.model,
        "class_names": found.class_names,
        "predictions": [
            row | {"probabilities": probs}
            for row, probs in zip(found.rows, found.probs.tolist(), strict=True)
        ],
        "notes": found.notes,
    }
