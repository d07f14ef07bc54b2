"""Describe the examples of a run as dataset inputs of MLflow."""

import json

from mlflow.entities import Dataset, DatasetInput, InputTag

from dropout_lab.records import DataFingerprint
from dropout_lab.redaction import redact


def dataset_inputs(data: DataFingerprint) -> list[DatasetInput]:
    """Return the training and test examples as dataset inputs of MLflow.

    Their names differ, since MLflow treats inputs of equal name and digest as one.
    """
    profile = {"checksums": dict(data.checksums), "num_validation": data.num_validation}
    return [
        DatasetInput(
            Dataset(
                name=f"{data.name}_{part}",
                digest=data.digest[:36],
                source_type="local",
                source=json.dumps({"uri": redact(data.folder)}),
                profile=json.dumps({"num_rows": num_rows, **profile}),
            ),
            [InputTag("mlflow.data.context", context)],
        )
        for part, context, num_rows in (
            ("train", "training", data.num_train),
            ("test", "testing", data.num_test),
        )
    ]
