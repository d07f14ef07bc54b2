import re
import xml.etree.ElementTree as ET

import pytest

from dropout_lab.plotting.metric_axes import name_sides
from dropout_lab.plotting.style import LIGHT, new_figure, render
from dropout_lab.reporting.svg import minify


@pytest.fixture(scope="module")
def svg() -> bytes:
    figure = new_figure(2, LIGHT)
    axes = figure.add_subplot()
    axes.plot([0, 1, 2], [1e-9, -0.5, 3], marker="o", label="a -- <b> & c")
    axes.fill_between([0, 1], [0, 0], [1, 2], alpha=0.3)
    axes.legend()
    name_sides(axes, "worse", "better", LIGHT)
    return render(figure, "svg")


def drawn(svg: bytes) -> list[tuple[str, str | None, list[float]]]:
    """Every element outside the metadata with its style and the numbers of its path and place."""
    found = []
    for element in ET.fromstring(svg).iter():
        if "svg}" in element.tag and not element.tag.endswith("metadata"):
            places = " ".join(element.get(name) or "" for name in ("d", "x", "y"))
            numbers = [float(one) for one in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", places)]
            found.append((element.tag, element.get("style"), numbers))
    return found


def test_the_same_is_drawn_with_fewer_bytes(svg):
    small = minify(svg)
    assert len(small) < 0.9 * len(svg)
    before, after = drawn(svg), drawn(small)
    assert [one[:2] for one in after] == [one[:2] for one in before]
    for (_, _, old), (_, _, new) in zip(before, after, strict=True):
        assert new == pytest.approx(old, abs=0.01)


@pytest.mark.parametrize(
    "path, short",
    [("M 1.239 -2.5 \nL 3 4 \nz\n", "M1.23-2.5L3 4z"), ("M 0 1.23456e-05", "M0 1.23e-05")],
)
def test_paths_keep_their_numbers_apart(path, short):
    assert minify(f'<path d="{path}"/>'.encode()).decode() == f'<path d="{short}"/>'
