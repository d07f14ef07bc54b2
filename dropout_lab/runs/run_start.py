"""What is logged of a run before its first step."""

import yaml

from dropout_lab.records import DataFingerprint, Design, DeviceInfo, RunFacts, RunStart
from dropout_lab.runs.identity import data_code
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.workspace import State
from dropout_lab.tracking import schema
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
        spec=run.params | data_code(data),
        tags=schema.fact_tags(
            RunFacts(
                run_key=identity.key,
                code=identity.code,
                spec_fingerprint=run.spec_fingerprint,
                initial_weights=trainer.initial_weights,
                batch_order=trainer.batch_order,
                claims_fingerprint=run.origin.claims,
                design=Design.from_json(run.origin.design) if run.origin.design else None,
                data_digest=data.digest,
                class_names=data.class_names,
                engine=trainer.engine_name,
                device=device.device,
                device_name=device.device_name,
                num_threads=str(device.num_threads),
                precision=device.precision,
                instruction_set=device.instruction_set,
                onednn=device.onednn,
                arithmetic=", ".join(f"{name} {value}" for name, value in identity.arithmetic.items()),
                versions=provenance.versions,
                git_commit=provenance.git_commit,
                git_dirty=provenance.git_dirty,
                trial=run.origin.trial,
            )
        ),
        data=data,
        texts={
            schema.GIVEN_SPEC: run.origin.text,
            schema.RESOLVED_SPEC: yaml.safe_dump(resolved, sort_keys=False),
            schema.MODEL_SUMMARY: trainer.summary(),
        },
    )
