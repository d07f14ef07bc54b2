"""What ``dropout-lab data SPEC`` prints: the data of a spec, as a run sees them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropout_lab.cli.console import TextOrJson, print_json, progress, stdout
from dropout_lab.cli.tables import print_facts, print_table, print_text
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.data.dataset import Dataset


def print_data(path: Path, format_: TextOrJson) -> None:
    """Read each dataset of the spec in `path`, check it, and print what was found.

    Raises:
        SpecError: If the spec is invalid.
        DataError, FunctionError: If a dataset is missing, damaged, or no data for a classifier.
    """
    from dropout_lab.data.selection import load_all
    from dropout_lab.spec import condition_settings, load_spec

    specs = {settings.data: None for settings in condition_settings(load_spec(path)).values()}
    datasets = load_all(specs).values()
    if format_ is TextOrJson.JSON:
        print_json([summarize(one) for one in datasets])
        return
    console = stdout()
    for dataset in datasets:
        summary = summarize(dataset)
        for note in dataset.notes:
            print_text(progress(), note)
        print_facts(console, {
            "Dataset": summary["name"],
            "Location": summary["location"],
            "Input shape": f"{' x '.join(map(str, summary['input_shape']))}, {summary['dtype']}",
            "Range": f"[{summary['low']:g}, {summary['high']:g}] stored, {summary['scaling']}",
            "Digest": summary["digest"],
        })  # fmt: skip
        parts = ("train", "validation", "test")
        rows = [("all", *(f"{sum(summary['examples'][part].values()):,}" for part in parts))]
        rows += [
            (name, *(f"{summary['examples'][part][name]:,}" for part in parts))
            for name in dataset.class_names
        ]
        print_table(console, TextTable("", ("Class", *parts), tuple(rows)))


def summarize(dataset: "Dataset") -> dict[str, Any]:
    """Return what ``--format json`` prints of a dataset; ranges are those of the training examples."""
    import numpy as np

    labels = {
        "train": dataset.train_labels,
        "validation": dataset.validation_labels,
        "test": dataset.test_labels,
    }
    counts = {part: np.bincount(one, minlength=dataset.num_classes).tolist() for part, one in labels.items()}
    scaling = dataset.scaling
    return {
        "name": dataset.fingerprint.name,
        "location": dataset.fingerprint.folder,
        "input_shape": list(dataset.input_shape),
        "dtype": str(dataset.train_inputs.dtype),
        "low": float(dataset.train_inputs.min()),
        "high": float(dataset.train_inputs.max()),
        "scaling": _scaling_in_words(scaling.factor, scaling.shift, scaling.to_float),
        "digest": dataset.fingerprint.digest,
        "examples": {part: dict(zip(dataset.class_names, one, strict=True)) for part, one in counts.items()},
        "notes": list(dataset.notes),
    }


def _scaling_in_words(factor: Any, shift: Any, to_float: bool) -> str:
    if not to_float:
        return "kept as integers"
    if hasattr(factor, "shape"):
        return "scaled by channel or feature"
    return "not scaled" if (factor, shift) == (1.0, 0.0) else f"multiplied by {factor:.6g}"
