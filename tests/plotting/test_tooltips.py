import re
import xml.etree.ElementTree as ET

from dropout_lab.plotting.style import LIGHT, new_figure, render
from dropout_lab.plotting.tooltips import add_tooltips, mean_words, seed_words

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ["<b> & 'c', \"d\" 50%", "second"]


def drawn(xs: list[float], words: list[str], **look) -> ET.Element:
    figure = new_figure(2, LIGHT)
    axes = figure.add_subplot()
    (line,) = axes.plot(xs, [1.0] * len(xs), marker="o", **look)
    axes.set_xlim(0, 3)
    add_tooltips(line, words)
    return ET.fromstring(render(figure, "svg"))


def test_each_marker_has_its_words_with_and_without_a_line():
    for look in ({"linestyle": ""}, {}):
        marks = [
            one
            for one in drawn([1, 2], WORDS, **look).iter(f"{SVG}use")
            if one.find(f"{SVG}title") is not None
        ]
        assert [one.findtext(f"{SVG}title") for one in marks] == WORDS
        assert float(marks[0].get("x", "")) < float(marks[1].get("x", ""))


def test_words_stay_together_if_a_point_has_no_value():
    page = drawn([float("nan"), 2], ["first", "second"], linestyle="")
    assert [one.text for one in page.iter(f"{SVG}title")] == ["first; second"]


def test_nothing_else_is_left_of_them():
    assert not re.search(r"tips", ET.tostring(drawn([1, 2], WORDS), encoding="unicode"))


def test_words_name_condition_seed_and_interval():
    assert seed_words("test_accuracy", "dropout", {3: 0.001}) == ["dropout, seed 3: +0.10 points"]
    nan = float("nan")
    assert mean_words("test_accuracy", "dropout", 0.001, (nan, nan)) == "dropout: +0.10 points"
    assert (
        mean_words("test_accuracy", "dropout", 0.001, (0.0, 0.002)) == "dropout: +0.10 points [+0.00, +0.20]"
    )
