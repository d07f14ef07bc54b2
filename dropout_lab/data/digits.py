"""The handwritten digits that come with scikit-learn: 1,797 images of 8 x 8."""

import numpy as np

from dropout_lab.data.source import Array


def load_data() -> tuple[Array, Array]:
    """Return the images, (1797, 8, 8, 1) in [0, 1], and the digits that they show.

    (Source: Alpaydin & Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository.)
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images[..., np.newaxis].astype(np.float32) / 16, found.target
