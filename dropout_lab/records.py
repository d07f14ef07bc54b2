"""What the rooms hand each other: plain, frozen data without behaviour of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dropout_lab.design import Claim as Claim
from dropout_lab.design import Design as Design
from dropout_lab.design import claims_fingerprint as claims_fingerprint

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """What training printed for one epoch.

    Attributes:
        epoch: Counted from 1.
        loss: Mean cross-entropy over the epoch's training batches, dropout on.
        accuracy: Fraction of the epoch's training examples classified correctly, dropout on.
        val_loss: Mean cross-entropy on the validation set after the epoch, dropout off.
        val_accuracy: Accuracy on the validation set after the epoch, dropout off.
        epoch_seconds: Wall time of the epoch's training steps, validation not included.
        end_time_ms: When the epoch ended, in milliseconds since 1970. Kept with the figures, so that
            logging them a second time repeats the same records instead of adding new ones.
        rates: Dropout rate in the epoch's last training step of each site whose rate changes or is learned.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    epoch_seconds: float
    end_time_ms: int
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of a trained model on one whole dataset, with dropout off.

    Attributes:
        measures: Measures of `probs` by name, such as ``loss``; see `evaluation.measures`.
        per_class_accuracy: Fraction of each class's examples classified correctly, by class number; classes
            without examples are absent.
        confusion_matrix: Counts, true classes as rows and predicted classes as columns.
        probs: Class probabilities, (num_examples, num_classes), in the dataset's order.
    """

    measures: Mapping[str, float]
    per_class_accuracy: Mapping[int, float]
    confusion_matrix: IntArray
    probs: FloatArray


@dataclass(frozen=True, kw_only=True)
class DropoutCheck:
    """The dropped fraction of one Dropout layer, measured in training steps before training.

    Attributes:
        layer: Name of the layer.
        rate: Rate that the spec asks for.
        dropped_fraction: Fraction of the examined elements that were dropped.
        num_examined: Number of elements whose output shows whether they were dropped.
    """

    layer: str
    rate: float
    dropped_fraction: float
    num_examined: int


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """The device that a run was trained on.

    Attributes:
        device: As TensorFlow names it, such as ``/CPU:0``; several are joined with commas.
        device_name: What the hardware calls itself.
        num_threads: Threads that one operation may use.
        precision: Keras dtype policy, such as ``float32``.
        instruction_set: Instruction set of the processor, limited by ONEDNN_MAX_CPU_ISA, such as ``AVX2``;
            the compute capability of a GPU.
        onednn: ``on`` if TensorFlow computes with oneDNN on the processor, else ``off``.
    """

    device: str
    device_name: str
    num_threads: int
    precision: str
    instruction_set: str
    onednn: str

    @property
    def devices(self) -> tuple[str, ...]:
        """Its names, one per device."""
        return tuple(self.device.split(","))


def device_kind(device: str) -> str:
    """Return ``CPU``, ``GPU`` or ``2 GPUs`` for the `DeviceInfo.device` of a run, whatever its index."""
    names = device.split(",")
    # Version 0.1 wrote /device:CPU:0.
    kind = names[0].strip("/").removeprefix("device:").partition(":")[0].upper()
    return kind if len(names) == 1 else f"{len(names)} {kind}s"


@dataclass(frozen=True, kw_only=True)
class DataFingerprint:
    """Which examples a run saw.

    Attributes:
        name: Name of the dataset.
        folder: Where the data were found: a folder, a file or a function.
        checksums: SHA-256 by name: of each file's uncompressed bytes, or of each array.
        num_train, num_validation, num_test: Examples in each part.
        digest: 36 hexadecimal digits over the checksums and the choice of examples.
        code: Fingerprint of the user's code that returned the data; empty without any.
        class_names: Names of the classes, by class number; not part of the digest.
    """

    folder: str
    checksums: Mapping[str, str]
    num_train: int
    num_validation: int
    num_test: int
    digest: str
    name: str = "fashion_mnist"
    code: str = ""
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunStart:
    """What is known of a run before its first step: logged when the run is created.

    Attributes:
        spec: The flattened resolved spec, logged as params.
        tags: Facts of the run by tag, see `tracking.schema.fact_tags`.
        texts: Small text artifacts by path, such as ``spec/resolved.yaml``.
    """

    run_name: str
    description: str
    condition: str
    seed: int
    spec: Mapping[str, str]
    tags: Mapping[str, str]
    data: DataFingerprint
    texts: Mapping[str, str]


class RunStatus(StrEnum):
    """The state of a run. All but INTERRUPTED are MLflow's own."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    INTERRUPTED = "INTERRUPTED"
    """MLflow shows RUNNING, but the process that trained it is gone."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """Facts that identify a run and its result; each is empty or None where it is not known.

    Attributes:
        run_key: Fingerprint of all that decides the weights.
        spec_fingerprint: Fingerprint of the settings; equal for all seeds of a condition.
        initial_weights, batch_order: Fingerprints; equal at one seed in matched runs.
        final_weights: Fingerprint of the trained weights.
        data_digest: Fingerprint of the data that was trained on and tested on.
        class_names: Names of the classes, by class number; empty if they are called by number.
        claims_fingerprint: Of the claims that the run's spec stated; see the function of that name.
        device, device_name, num_threads, precision, instruction_set, onednn: See `DeviceInfo`.
        engine: Name of the engine.
        arithmetic: What else the last bits of a weight depend on, in words.
        code: Fingerprint of the code that trained the run.
        git_commit: Empty where the run was not started in a git checkout.
        git_dirty: Whether files were changed since that commit; None if git could not tell.
        design: What the run's spec fixed beforehand.
        evaluated: Parts of an evaluation that the run has, with their settings, as JSON.
        requested: When a command last asked for the run, trained or found finished.
        user: Who started the run.
        trial: Number of the trial that the run belongs to; empty if it belongs to no search.
        pruned: When its search ended it early; empty if it did not.
        versions: Of the packages that bear on the result.
    """

    run_key: str = ""
    spec_fingerprint: str = ""
    initial_weights: str = ""
    batch_order: str = ""
    final_weights: str = ""
    data_digest: str = ""
    class_names: tuple[str, ...] = ()
    claims_fingerprint: str = ""
    device: str = ""
    device_name: str = ""
    num_threads: str = ""
    precision: str = ""
    instruction_set: str = ""
    onednn: str = ""
    engine: str = ""
    arithmetic: str = ""
    code: str = ""
    git_commit: str = ""
    git_dirty: bool | None = None
    design: Design | None = None
    evaluated: str = ""
    requested: datetime | None = None
    user: str = ""
    trial: str = ""
    pruned: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """The beginning of the commit, and what is known of changes since; empty without a commit."""
        changes = {True: " with uncommitted changes", False: "", None: ", unknown whether with changes"}
        return self.git_commit[:12] + changes[self.git_dirty] if self.git_commit else ""


@dataclass(frozen=True, kw_only=True)
class RunRecord(RunFacts):
    """One run as it stands in the tracking store.

    Attributes:
        spec: The flattened resolved spec, such as ``{"model.dropout.conv1": "0.2"}``.
        metrics: The last value of each metric; fractions are 0 to 1.
        history: For each per-epoch metric that was asked for, its values in order of epoch.
        end_time: When the run ended; None while it runs.
    """

    run_id: str
    run_name: str
    experiment_id: str
    experiment_name: str
    status: RunStatus
    condition: str
    seed: int
    start_time: datetime
    end_time: datetime | None = None
    spec: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    description: str = ""
