"""What an evaluation needs of a dataset, checked before anything is trained or measured."""

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.images import require_images
from dropout_lab.data.out_of_distribution import OUT_OF_DISTRIBUTION
from dropout_lab.errors import UsageError
from dropout_lab.spec.evaluation import EvaluationSpec


def check_evaluation(spec: EvaluationSpec | None, data: Dataset) -> None:
    """Check that what `spec` asks for can be measured on `data`.

    Raises:
        DataError: If it needs images, and the inputs are none.
        UsageError: If all its inputs from outside the distribution have the classes of the dataset.
    """
    if spec is None:
        return
    for key, names in (("evaluation.shift", spec.shift), ("evaluation.ood", spec.ood)):
        if names:
            require_images(data.test_inputs, key)
    name = data.fingerprint.name
    if spec.ood and all(name in OUT_OF_DISTRIBUTION[one].in_distribution_for for one in spec.ood):
        others = [one for one, known in OUT_OF_DISTRIBUTION.items() if name not in known.in_distribution_for]
        raise UsageError(
            f"evaluation.ood: {', '.join(spec.ood)} has the classes of the dataset {name}"
            f" (allowed: {', '.join(others)})"
        )
