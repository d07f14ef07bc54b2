"""Plots as SVG within a page: small, in one drawing for light and dark, with text that can be selected."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

_THEMED = re.compile(r"#[0-9a-f]{6}|<image[^>]*/>")
"""What may differ between the drawings of two themes."""


@dataclass
class Palette:
    """The colors of all plots of a page, each in the light and in the dark theme."""

    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def reference(self, light: str, dark: str) -> str:
        """Return the CSS value that is one or the other."""
        return f"var(--p{self._numbers.setdefault((light, dark), len(self._numbers))})"

    def css(self, theme: int) -> str:
        """Return the definitions for light (0) or dark (1)."""
        return "".join(f"--p{number}:{pair[theme]};" for pair, number in self._numbers.items())


def inline(light: bytes, dark: bytes, prefix: str, palette: Palette) -> str:
    """Return one ``<svg>`` element for two drawings that differ in colors and images only.

    Args:
        light, dark: matplotlib's SVG in both themes.
        prefix: Begins all IDs of the drawing, so that they are unique on the page.
        palette: Is given the colors.

    Raises:
        ValueError: If the drawings differ in more.
    """
    first, second = (_bare(minify(one).decode(), prefix) for one in (light, dark))
    outlines = [_THEMED.split(one) for one in (first, second)]
    if outlines[0] != outlines[1]:
        raise ValueError(f"plot {prefix} has another form in the dark theme")
    parts = [outlines[0][0]]
    for one, other, rest in zip(
        _THEMED.findall(first), _THEMED.findall(second), outlines[0][1:], strict=True
    ):
        if one == other:
            parts.append(one)
        elif one.startswith("#"):
            parts.append(palette.reference(one, other))
        else:
            parts += [
                one.replace("<image", '<image class="light"'),
                other.replace("<image", '<image class="dark"'),
            ]
        parts.append(rest)
    return "".join(parts)


def minify(svg: bytes) -> bytes:
    """Return matplotlib's `svg` without metadata and comments, with coordinates to 0.01 points."""
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg.decode(), flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")
    text = re.sub(r' d="([^"]*)"', lambda match: f' d="{_shorten(match[1])}"', text)
    return re.sub(r'( [xy]="-?\d+\.\d\d)\d+"', r'\1"', text).encode()


def _bare(svg: str, prefix: str) -> str:
    """Return the ``<svg>`` element with IDs only where they are used, and text in the font of the page."""
    text = svg[svg.index("<svg") :].replace("xlink:href", "href")
    text = re.sub(r'<svg[^>]*?( viewBox="[^"]*")[^>]*>', r"<svg\1>", text, count=1)
    text = re.sub(r"<defs><style[^>]*>[^<]*</style></defs>", "", text)
    # The page's own font is at most as wide as matplotlib's, which the layout was made for.
    text = re.sub(r"font-family: [^;\"]*; ", "", text)
    text = re.sub(r"font: (?:(\d+) )?([\d.]+px) [^;\"]*", _font, text)  # matplotlib before 3.11
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers))
    for name in re.findall(r'(?:href="|url\()#([^")]*)', text):
        numbers[name]
    text = re.sub(r'((?:href="|url\()#)([^")]*)', lambda m: f"{m[1]}{prefix}{numbers[m[2]]}", text)
    return re.sub(
        r' id="([^"]*)"', lambda m: f' id="{prefix}{numbers[m[1]]}"' if m[1] in numbers else "", text
    )


def _font(match: re.Match[str]) -> str:
    weight = f"font-weight: {match[1]}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}"


def _shorten(path: str) -> str:
    rounded = re.sub(r"(\d\.\d\d)\d+", r"\1", path)
    return re.sub(r"\s*([A-Zz])\s*", r"\1", rounded).replace(" -", "-").strip()
