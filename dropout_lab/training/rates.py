"""The dropout rate of each site in each training step, as schedules state it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dropout_lab.spec.schedules import Schedule

Float64Array = npt.NDArray[np.float64]
CONSTANT = Schedule()


def rates_at(
    schedule: Schedule,
    rate: float,
    steps: npt.ArrayLike,
    *,
    steps_per_epoch: int,
    num_epochs: int,
) -> Float64Array:
    """Return the dropout rate in single steps of a training.

    With r the rate of the site, t the number of the step from 0, T = `until` in steps:

    - early: r if t < T, else 0; late: 0 if t < T, else r: Liu et al. (2023), "Dropout Reduces Underfitting",
      ICML, arXiv 2303.01500.
    - linear, cosine: r times a line, or half a period of a cosine, from `start` at t = 0 to `end` at T - 1
      and after it. The line from 1 to 0 is the decreasing early dropout of the same paper, step for step as
      in its authors' code.
    - curriculum: the fraction kept is (1 - k) exp(-gamma t) + k with k = 1 - r, so the rate is
      r (1 - exp(-gamma t)): Morerio et al. (2017), "Curriculum Dropout", ICCV, arXiv 1703.06229. By default
      gamma is 10 over the number of steps, as there.

    Args:
        schedule: The schedule.
        rate: Rate of the site, in [0, 1).
        steps: (num_steps,) numbers of steps, counted from 0 over the whole training.
        steps_per_epoch: Steps per epoch.
        num_epochs: Epochs of the whole training.

    Returns:
        (num_steps,) rates, from 0 to `rate`.
    """
    t = np.asarray(steps, np.float64)
    whole = steps_per_epoch * num_epochs
    unit = steps_per_epoch if schedule.unit == "epochs" else 1
    length = whole if schedule.until is None else schedule.until * unit
    match schedule.shape:
        case "constant" | None:
            fraction = np.ones_like(t)
        case "early":
            fraction = np.where(t < length, 1.0, 0.0)
        case "late":
            fraction = np.where(t < length, 0.0, 1.0)
        case "curriculum":
            gamma = 10 / whole if schedule.gamma is None else schedule.gamma / unit
            fraction = -np.expm1(-gamma * t)
        case "linear" | "cosine":
            way = np.minimum(t / max(length - 1, 1), 1)
            if schedule.shape == "cosine":
                way = (1 - np.cos(np.pi * way)) / 2
            fraction = (1 - way) * schedule.start + way * schedule.end
    return np.asarray(rate * fraction)


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Return the number of steps per epoch; the last one may be smaller."""
    return math.ceil(num_examples / batch_size)


@dataclass(frozen=True, kw_only=True)
class SiteRates:
    """The dropout rate of each site in each step of a training, a function of the step's number alone.

    Attributes:
        full: Rate of each site, by the path of its layer; a schedule's rates are fractions of it.
        schedules: Schedules by path; the rates of other sites never change.
        steps_per_epoch: Steps per epoch.
        num_epochs: Epochs of the whole training.
    """

    full: Mapping[str, float]
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    steps_per_epoch: int = 1
    num_epochs: int = 1

    @property
    def changing(self) -> tuple[str, ...]:
        """The sites whose rate changes."""
        return tuple(
            path
            for path, rate in self.full.items()
            if rate > 0 and not self.schedules.get(path, CONSTANT).is_constant
        )

    def at(self, first_step: int, num_steps: int = 1) -> dict[str, Float64Array]:
        """Return the (num_steps,) rates of each site in consecutive steps.

        Args:
            first_step: Number of the first step, counted from 0 over the whole training.
            num_steps: Number of steps.
        """
        steps = np.arange(first_step, first_step + num_steps)
        return {
            path: rates_at(
                self.schedules.get(path, CONSTANT),
                rate,
                steps,
                steps_per_epoch=self.steps_per_epoch,
                num_epochs=self.num_epochs,
            )
            for path, rate in self.full.items()
        }

    def telling_step(self, path: str) -> int:
        """Return the first step in which the rate of a site is highest, where a measurement tells most."""
        schedule = self.schedules.get(path, CONSTANT)
        last = self.steps_per_epoch * self.num_epochs - 1
        turns = {0, last}
        if schedule.until is not None:
            turn = schedule.until * (self.steps_per_epoch if schedule.unit == "epochs" else 1)
            turns |= {min(turn - 1, last), min(turn, last)}
        return max(sorted(turns), key=lambda step: float(self.at(step)[path][0]))


NO_CHANGES = SiteRates(full={})
"""Rates that stay those of the layers."""
