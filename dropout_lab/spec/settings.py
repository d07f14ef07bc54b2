"""The settings of one condition as frozen pydantic models: every field described, unknown keys refused."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import StringConstraints

from dropout_lab.spec.base import Frozen
from dropout_lab.spec.dataset import DataSpec
from dropout_lab.spec.kinds import AS_BUILT
from dropout_lab.spec.network import ModelSpec
from dropout_lab.spec.training import TrainingSpec

Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|gpus|gpu(:[0-9]{1,3})?)$")]


class Settings(Frozen):
    """Settings that determine a run's result, except the seed."""

    model: ModelSpec = ModelSpec()
    """The network and its dropout."""
    training: TrainingSpec = TrainingSpec()
    """Epochs, batches, optimizer."""
    device: Device = "auto"
    """Hardware: auto (the first GPU, else the CPU), cpu, gpu, gpu:N, or gpus (all share each batch)."""
    data: DataSpec = DataSpec()
    """Examples for training, validation and test."""

    def resolved(self) -> Self:
        """Return the same with one dropout rate per site, if the network is built in; else unchanged."""
        return self.model_copy(update={"model": self.model.resolved()})


def flatten(settings: Settings) -> dict[str, str]:
    """Return every setting that applies as ``{"model.dropout.conv1": "0.2", ...}``: as it is logged.

    The rate of a site has the name of the site; its kind, if set, is ``model.dropout.conv1.kind``.
    """

    def leaves(prefix: str, value: Any) -> dict[str, str]:
        if isinstance(value, Mapping) and not prefix.startswith((".model.arguments.", ".data.arguments.")):
            return {k: v for key, part in value.items() for k, v in leaves(f"{prefix}.{key}", part).items()}
        if isinstance(value, list | tuple):
            return {prefix.lstrip("."): ",".join(map(str, value))}
        return {prefix.lstrip("."): "" if value is None else str(value)}

    content = settings.content()
    content["model"]["dropout"] = dict(_site_params(content["model"]["dropout"]))
    return leaves("", content)


def _site_params(dropout: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the rate of each site under its name, and its other fields below that."""
    for site, setting in dropout.items():
        fields = dict(setting) if isinstance(setting, Mapping) else {"rate": setting}
        yield site, fields.pop("rate", AS_BUILT)
        yield from ((f"{site}.{field}", value) for field, value in fields.items())
