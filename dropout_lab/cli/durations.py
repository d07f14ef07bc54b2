"""Durations for people."""


def format_duration(seconds: float) -> str:
    """Return ``4 s``, ``12 min`` or ``1 h 12 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
