"""Test images that only one of two conditions gets right, and does so at most seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.records import RunRecord

MIN_SHARE = 0.8
"""Share of the seeds at which an image must flip in the same direction."""
MIN_PAIRS = 5
"""With fewer seeds an image flips at most of them by chance."""


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One test image.

    Attributes:
        image: Number of the image in the test set, from 0.
        label: Its true class.
        is_gained: Whether the condition is right and the reference wrong; else the other way round.
        num_seeds: Seeds at which it flips so.
        mistaken_for: The class that the wrong side predicts most often at these seeds.
    """

    image: int
    label: int
    is_gained: bool
    num_seeds: int
    mistaken_for: int


@dataclass(frozen=True, kw_only=True)
class Flips:
    """The images of one condition that flip at most seeds, those that flip at more seeds first."""

    condition: str
    num_pairs: int
    min_seeds: int
    images: tuple[Flip, ...]


def find_flips(
    runs: Sequence[RunRecord],
    predictions: Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    conditions: Sequence[str],
    reference: str,
) -> tuple[Flips, ...]:
    """Return the images that flip at 80% of the seeds or more, for each condition with at least 5 pairs.

    Args:
        runs: Finished runs.
        predictions: Class probabilities and labels of the test set, by run ID.
        conditions: In order; the reference is left out.
        reference: The condition that the others are compared with.
    """
    known = {(run.condition, run.seed): predictions[run.run_id] for run in runs if run.run_id in predictions}
    found = []
    for condition in conditions:
        pairs = [
            (own, known[reference, seed])
            for (name, seed), own in sorted(known.items(), key=lambda item: item[0])
            if name == condition != reference and (reference, seed) in known
        ]
        labels = [label for pair in pairs for _, label in pair]
        # With other data for each seed, an image has another number at each.
        if len(pairs) >= MIN_PAIRS and all(np.array_equal(labels[0], one) for one in labels):
            found.append(_flips(condition, pairs, labels[0]))
    return tuple(found)


def _flips(condition: str, pairs: Sequence[Any], labels: npt.NDArray[Any]) -> Flips:
    own, other = (np.array([pair[side][0].argmax(axis=1) for pair in pairs]) for side in (0, 1))
    min_seeds = math.ceil(MIN_SHARE * len(pairs))
    images = []
    for is_gained, right, wrong in ((True, own, other), (False, other, own)):
        flipped = (right == labels) & (wrong != labels)
        counts = flipped.sum(axis=0)
        images += [
            Flip(
                image=image,
                label=int(labels[image]),
                is_gained=is_gained,
                num_seeds=int(counts[image]),
                mistaken_for=int(np.bincount(wrong[flipped[:, image], image]).argmax()),
            )
            for image in np.flatnonzero(counts >= min_seeds).tolist()
        ]
    images.sort(key=lambda one: (-one.num_seeds, one.image))
    return Flips(condition=condition, num_pairs=len(pairs), min_seeds=min_seeds, images=tuple(images))
