"""What the built-in networks with convolutions take."""

from dropout_lab.errors import UsageError


def require_images(input_shape: tuple[int, ...], network: str, *, hint: str | None = None) -> None:
    """Check that examples are images that two poolings leave something of.

    Args:
        input_shape: Shape of one example.
        network: Name of the network, for the message.
        hint: What to do instead.

    Raises:
        UsageError: If they are not images of at least 4 x 4 pixels.
    """
    if len(input_shape) != 3 or min(input_shape[:2]) < 4:
        raise UsageError(
            f"model.network: {network} does not take inputs of shape {input_shape}"
            " (allowed: images of at least 4 x 4 pixels, as height, width, channels)",
            hint=hint,
        )
