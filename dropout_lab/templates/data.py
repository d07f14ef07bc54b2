"""The data of this study: 1,797 handwritten digits, which scikit-learn ships."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def load():
    """Return (x_train, y_train), (x_test, y_test), as the loaders of Keras do.

    Inputs may have any shape: images (n, height, width, channels), features (n, size), integer sequences
    (n, length). Labels are class numbers from 0, or names.
    """
    digits = load_digits()
    images = digits.images[..., None] / 16.0
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target, test_size=0.3, random_state=0, stratify=digits.target
    )
    return (x_train, y_train), (x_test, y_test)
