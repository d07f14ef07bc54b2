"""What a reader sees who points at a mark of an SVG plot.

matplotlib has no tooltips, but writes an artist's group ID as ``id``. It carries the words until the file is
written, where they become ``<title>`` elements.
"""

import html
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from matplotlib.lines import Line2D

from dropout_lab.evaluation.metrics import format_difference, format_interval

_PREFIX = "tips:"
_MARKED = re.compile(
    rf'<g id="{_PREFIX}(?P<words>[^"]*)">(?P<before>(?:\s*<path[^>]*/>)?\s*<defs>.*?</defs>\s*<g[^>]*>\s*)'
    r"(?P<marks>(?:<use[^>]*/>\s*)+)",
    re.DOTALL,
)


def add_tooltips(line: Line2D, words: Sequence[str]) -> None:
    """Give each marker of `line` its words, in the order of the points."""
    line.set_gid(_PREFIX + ",".join(quote(one, safe="") for one in words))


def seed_words(metric: str, condition: str, by_seed: Mapping[int, float]) -> list[str]:
    """Return the words of a condition's differences, in the order of `by_seed`."""
    return [
        f"{condition}, seed {seed}: {format_difference(metric, value)}" for seed, value in by_seed.items()
    ]


def mean_words(metric: str, condition: str, mean: float, interval: tuple[float, float]) -> str:
    """Return the words of a condition's mean difference."""
    shown = format_interval(metric, *interval)
    return f"{condition}: {format_difference(metric, mean)}{'' if shown == '-' else f' {shown}'}"


def write_tooltips(svg: str) -> str:
    """Return matplotlib's `svg` with a ``<title>`` for each marker that was given words."""
    marked = _MARKED.sub(_with_titles, svg)
    return re.sub(rf'<g id="{_PREFIX}[^"]*">', "<g>", marked)


def _with_titles(match: re.Match[str]) -> str:
    words = [unquote(one) for one in match["words"].split(",")]
    marks = re.findall(r"<use[^>]*/>", match["marks"])
    if len(marks) != len(words):
        # A point without a value is not drawn, so which words belong to which mark is not known.
        title = html.escape("; ".join(words), quote=False)
        return f"<g><title>{title}</title>{match['before']}{match['marks']}"
    titled = (
        f"{mark.removesuffix('/>')}><title>{html.escape(text, quote=False)}</title></use>"
        for mark, text in zip(marks, words, strict=True)
    )
    return f"<g>{match['before']}{''.join(titled)}"
