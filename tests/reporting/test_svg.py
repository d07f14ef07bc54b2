import re
import xml.etree.ElementTree as ET

import pytest

from dropout_lab.plotting.metric_axes import name_sides
from dropout_lab.plotting.style import LIGHT, new_figure, render
from dropout_lab.reporting.svg import Palette, inline, minify


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


def themed(color: str, *, num_lines: int = 1) -> bytes:
    figure = new_figure(2, LIGHT)
    axes = figure.add_subplot()
    for _ in range(num_lines):
        axes.plot([0, 1], [0, 1], color=color, marker="o", label="words")
    axes.imshow([[0, 1]], cmap="Blues" if color == "#112233" else "Reds")
    return render(figure, "svg", as_text=True)


def test_one_drawing_serves_both_themes():
    palette = Palette()
    drawing = inline(themed("#112233"), themed("#445566"), "one-", palette)
    ET.fromstring(drawing)
    variables = set(re.findall(r"var\((--p\d+)\)", drawing))
    assert variables == {"--p0"}
    assert (palette.css(0), palette.css(1)) == ("--p0:#112233;", "--p0:#445566;")
    assert "#112233" not in drawing
    assert re.findall(r'<image class="(\w+)"', drawing) == ["light", "dark"]


def test_ids_are_unique_on_the_page_and_all_links_lead_to_one():
    palette = Palette()
    page = "".join(inline(themed("#112233"), themed("#445566"), prefix, palette) for prefix in ("a-", "b-"))
    ids = re.findall(r' id="([^"]*)"', page)
    links = set(re.findall(r'(?:href="|url\()#([^")]*)', page))
    assert len(ids) == len(set(ids))
    assert links <= set(ids)


def test_words_are_text_in_the_font_of_the_page():
    drawing = inline(themed("#112233"), themed("#445566"), "a-", Palette())
    assert "DejaVu" not in drawing
    assert re.search(r"<text[^>]*>0.0</text>", drawing)


def test_drawings_of_another_form_are_refused():
    with pytest.raises(ValueError, match="another form"):
        inline(themed("#112233"), themed("#445566", num_lines=2), "a-", Palette())
