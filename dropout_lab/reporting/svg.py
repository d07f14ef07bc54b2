"""SVG as small as it gets without a visible change: a report holds every plot twice, light and dark."""

import re


def minify(svg: bytes) -> bytes:
    """Return matplotlib's `svg` without metadata and comments, with coordinates to 0.01 points."""
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg.decode(), flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")
    text = re.sub(r' d="([^"]*)"', lambda match: f' d="{_shorten(match[1])}"', text)
    return re.sub(r'( [xy]="-?\d+\.\d\d)\d+"', r'\1"', text).encode()


def _shorten(path: str) -> str:
    rounded = re.sub(r"(\d\.\d\d)\d+", r"\1", path)
    return re.sub(r"\s*([A-Zz])\s*", r"\1", rounded).replace(" -", "-").strip()
