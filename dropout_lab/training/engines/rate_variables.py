"""Rates that change, in the variables of the layers that drop at them."""

import numpy as np
import tensorflow as tf

from dropout_lab.errors import UsageError
from dropout_lab.models.network import Network
from dropout_lab.training.rates import SiteRates


class RateVariables:
    """The variables of the sites of a network whose rate changes, which a compiled step reads.

    Args:
        network: Network with these sites.
        rates: Rate of each site in each step.

    Attributes:
        spec: Type of what `in_steps` returns.

    Raises:
        UsageError: If the rate of such a site is in no variable.
    """

    def __init__(self, network: Network, rates: SiteRates) -> None:
        self._rates = rates
        self._paths = rates.changing
        sites = {site.path: site for site in network.sites}
        for path in self._paths:
            if getattr(sites[path].layer, "rate_variable", None) is None:
                name, kind = sites[path].name, sites[path].kind
                raise UsageError(f"model.dropout.{name}.schedule: the rate of {kind} cannot change")
        self._variables = [sites[path].layer.rate_variable for path in self._paths]
        self.spec = tf.TensorSpec([None, len(self._paths)], tf.float32)

    def in_steps(self, first_step: int, num_steps: int) -> tf.Tensor:
        """Return the (num_steps, num_sites) rates in consecutive steps."""
        rates = self._rates.at(first_step, num_steps)
        by_site = np.array([rates[path] for path in self._paths], np.float32)
        return tf.constant(by_site.reshape(-1, num_steps).T)

    def assign(self, rates: tf.Tensor) -> None:
        """Set the (num_sites,) rates of the next step."""
        for number, variable in enumerate(self._variables):
            variable.assign(rates[number])
