"""The network and its dropout, as a spec states them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from dropout_lab.spec.base import LATER, Frozen, list_to_tuple
from dropout_lab.spec.built_in import BUILT_IN
from dropout_lab.spec.kinds import SiteDropout, as_rate, is_off, rate_of, schedule_of
from dropout_lab.spec.rates import Rates, site_settings

KERAS_FILE = ".keras"

FUNCTION_FIELDS = ("arguments", "outputs")
FILE_FIELDS = ("outputs",)


def _check_network(value: Any) -> Any:
    """Accept a built-in name, or what looks like a function or a file of the user's."""
    if isinstance(value, str) and (value in BUILT_IN or ":" in value[1:-1] or value.endswith(KERAS_FILE)):
        return value
    raise PydanticCustomError(
        "network", f"{', '.join(BUILT_IN)}, module:function, file.py:function or a .keras file"
    )


class ModelSpec(Frozen):
    """The network; the published one by default."""

    network: Annotated[
        str,
        StringConstraints(max_length=4096),
        BeforeValidator(_check_network),
        WithJsonSchema({"anyOf": [{"enum": list(BUILT_IN)}, {"type": "string", "maxLength": 4096}]}),
    ] = "published"
    """`published`, `mlp`, `lenet5`, `resnet`, a function that returns a Keras model (`file.py:function` or
    `module:function`), or a `.keras` file, of which the weights are not used."""
    arguments: Mapping[str, Any] = {}
    """Arguments of that function, besides `input_shape` and `num_classes` or `classes`."""
    dropout: Rates = {}  # noqa: RUF012 - pydantic copies it
    """One rate for all sites, or rates by name or pattern of sites, such as `{"block*_drop": 0, top: 0.3}`;
    `as_built` is the rate in the network itself. Other sites are as built; built-in networks without dropout.
    A rate is standard dropout; `{kind: spatial, rate: 0.2}` in its place is another kind."""
    outputs: Literal["auto", "logits", "probabilities"] = "auto"
    """Outputs of a network of your own: probabilities (after softmax), logits, or recognized."""
    dropout_position: Literal["before_pooling", "after_pooling"] = "before_pooling"
    """Position of dropout in the convolution blocks of `published`, which drops before pooling."""
    filters: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1024)], Annotated[int, Field(ge=1, le=1024)]],
        BeforeValidator(list_to_tuple),
    ] = (32, 64)
    """Filters of the first and the second convolution of `published`."""
    hidden_units: Annotated[int, Field(ge=1, le=16384)] = 128
    """Units of the hidden dense layer of `published`."""
    hidden: Annotated[
        tuple[Annotated[int, Field(ge=1, le=16384)], ...],
        Field(min_length=1, max_length=20),
        BeforeValidator(list_to_tuple),
    ] = (1024, 1024)
    """Units of each hidden layer of `mlp`."""
    blocks: Annotated[int, Field(ge=1, le=16), LATER] = 2
    """Residual blocks in each of the two stages of `resnet`."""
    activation: Annotated[Literal["relu", "selu"], LATER] = "relu"
    """Activation of the hidden layers of `published`, `mlp` and `resnet`; `selu`, which the kind `alpha` is
    for, comes with LeCun normal initial weights."""
    batch_normalization: Annotated[bool, LATER] = False
    """Whether a built-in network normalizes the inputs of its hidden activations over each batch (Ioffe and
    Szegedy, 2015)."""

    @property
    def is_built_in(self) -> bool:
        """Whether the network comes with dropout_lab."""
        return self.network in BUILT_IN

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that apply to the network, besides `network` and `dropout`."""
        if self.is_built_in:
            return BUILT_IN[self.network].fields
        return FILE_FIELDS if self.network.endswith(KERAS_FILE) else FUNCTION_FIELDS

    @property
    def field_values(self) -> dict[str, Any]:
        """The value of each of `fields`."""
        return {name: getattr(self, name) for name in self.fields}

    @property
    def sites(self) -> tuple[str, ...] | None:
        """The sites of a built-in network; None for others, whose sites are known once they are built."""
        if not self.is_built_in:
            return None
        network = BUILT_IN[self.network]
        named = tuple(site for site in network.optional_sites if not is_off(self.dropout.get(site, 0.0)))
        return (*named, *network.sites(self.field_values))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the kinds of dropout of a built-in network."""
        has_selu = "activation" in self.fields and self.activation == "selu"
        sites = ", ".join(site for site, kind in self.kinds.items() if kind == "alpha")
        if not sites or not self.is_built_in or has_selu:
            return ()
        hint = " (write model.activation: selu)" if "activation" in self.fields else ""
        return (f"The kind alpha at {sites} keeps mean and variance only behind SELU activations{hint}.",)

    def with_sites(self, as_built: Mapping[str, float]) -> Self:
        """Return the same with one complete setting per site.

        Args:
            as_built: The rate of each site as the network is built.
        """
        return self.model_copy(update={"dropout": site_settings(self.dropout, as_built)})

    def as_built(self) -> Self:
        """Return the same network, with the same sites, without what the spec states about them."""
        optional = BUILT_IN[self.network].optional_sites if self.is_built_in else ()
        kept = {site: rate for site, rate in self.dropout.items() if site in optional}
        return self.model_copy(update={"dropout": {site: rate_of(rate) for site, rate in kept.items()}})

    def resolved(self) -> Self:
        """Return the same with one complete setting per site, if the network is built in; else unchanged.

        Standard dropout is what these networks are built with, so it is no kind of its own.
        """
        if self.sites is None:
            return self
        settings = site_settings(self.dropout, dict.fromkeys(self.sites, 0.0))
        return self.model_copy(update={"dropout": {site: as_rate(one) for site, one in settings.items()}})

    @property
    def rates(self) -> dict[str, float]:
        """The rate at each site; for networks that are not built in, after `with_sites`."""
        return {site: float(rate_of(setting)) for site, setting in self.resolved().dropout.items()}

    @property
    def kinds(self) -> dict[str, str]:
        """The kind at each site that has another than the network is built with, after `with_sites`."""
        settings = self.resolved().dropout
        return {site: one.kind for site, one in settings.items() if isinstance(one, SiteDropout) and one.kind}

    def applies(self, field: str) -> bool:
        """Return whether `field` has a meaning for the network."""
        return field in ("network", "dropout", *self.fields)

    @property
    def scheduled_sites(self) -> tuple[str, ...]:
        """The sites whose rate has a schedule, after `with_sites`."""
        settings = self.resolved().dropout
        return tuple(site for site, one in settings.items() if not schedule_of(one).is_constant)

    @property
    def has_kinds(self) -> bool:
        """Whether a site has a setting besides its rate."""
        return any(isinstance(one, SiteDropout) for one in self.resolved().dropout.values())

    def content(self, *, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
        """Return the fields that apply to the network, with one rate per site where sites are known."""
        resolved = self.resolved()
        return super(ModelSpec, resolved).content(mode=mode)
