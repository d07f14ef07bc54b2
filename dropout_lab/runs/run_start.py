"""What is logged of a run before its first step."""

import yaml

from dropout_lab.records import DataFingerprint, DeviceInfo, RunStart
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.workspace import State
from dropout_lab.spec import flatten
from dropout_lab.tracking import tags
from dropout_lab.training.trainer import Trainer


def run_start(
    state: State, trainer: Trainer, data: DataFingerprint, device: DeviceInfo, provenance: Provenance
) -> RunStart:
    """Return what is logged of a run before its first step.

    Args:
        state: State of its workspace, with its identity.
        trainer: Its network, before training.
        data: Which images it sees.
        device: The device that it is trained on.
        provenance: Commit and versions.
    """
    run, identity = state.run, state.identity
    assert identity is not None
    resolved = {"condition": run.condition, "seed": run.seed, **run.settings.content(mode="json")}
    return RunStart(
        run_name=run.name,
        description=run.origin.description,
        condition=run.condition,
        seed=run.seed,
        spec=flatten(run.settings),
        tags={
            "dropout_lab.run_key": identity.key,
            tags.EXPERIMENT: run.origin.experiment,
            "dropout_lab.code": identity.code,
            "dropout_lab.spec_fingerprint": run.spec_fingerprint,
            "dropout_lab.initial_weights": trainer.initial_weights,
            "dropout_lab.batch_order": trainer.batch_order,
            "dropout_lab.claims_fingerprint": run.origin.claims,
            tags.DESIGN: run.origin.design,
            "dropout_lab.data_digest": data.digest,
            "dropout_lab.engine": trainer.engine_name,
            "dropout_lab.device": device.device,
            "dropout_lab.device_name": device.device_name,
            "dropout_lab.num_threads": str(device.num_threads),
            "dropout_lab.precision": device.precision,
            "dropout_lab.instruction_set": device.instruction_set,
            "dropout_lab.onednn": device.onednn,
            "dropout_lab.arithmetic": ", ".join(
                f"{name} {value}" for name, value in identity.arithmetic.items()
            ),
            **provenance.tags,
        },
        data=data,
        texts={
            "spec/given.yaml": run.origin.text,
            "spec/resolved.yaml": yaml.safe_dump(resolved, sort_keys=False),
            "model_summary.txt": trainer.summary(),
        },
    )
