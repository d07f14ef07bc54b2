import re

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.reporting.bibliography import _REFERENCES, Reference, references

PAPER = Reference(
    key="jennison1989",
    authors=("Jennison, C", "Turnbull, BW"),
    year=1989,
    title="Interim analyses",
    journal="Journal",
    volume="51(3)",
    pages="305-361",
    doi="10.1/x",
)


def test_a_reference_is_one_line_of_text():
    assert PAPER.text == "Jennison C, Turnbull BW (1989). Interim analyses. Journal 51(3):305-361. doi:10.1/x"


def test_a_reference_is_a_bibtex_entry():
    assert (
        PAPER.bibtex
        == """@article{jennison1989,
  author = {Jennison, C. and Turnbull, B. W.},
  title = {{Interim analyses}},
  journal = {Journal},
  volume = {51},
  number = {3},
  pages = {305--361},
  year = {1989},
  doi = {10.1/x},
}"""
    )


@pytest.mark.parametrize("name", _REFERENCES)
def test_every_entry_is_complete(name):
    one = _REFERENCES[name]
    assert re.fullmatch(r"[a-z]+\d{4}[a-z]*", one.key)
    assert str(one.year) in one.key
    assert one.publisher or (one.journal and one.volume and one.pages)
    assert one.bibtex.count("{") == one.bibtex.count("}")


def test_the_papers_of_the_kinds_used_are_listed(make_run):
    fields = {"model.dropout.conv1.kind": "dropblock", "model.dropout.dense.kind": "gaussian"}
    runs = [
        make_run(name, seed, spec=spec, test_accuracy=0.9 + seed / 100)
        for name, spec in (("baseline", {}), ("dropout", fields))
        for seed in range(3)
    ]
    keys = [one.key for one in references(compare_runs(runs, Question()))]
    assert "ghiasi2018dropblock" in keys
    assert "srivastava2014dropout" in keys, "the paper of Gaussian dropout, too"
    assert "gal2017concrete" not in keys


def test_a_book_has_a_publisher_and_keys_are_unique():
    assert _REFERENCES["sign-flip"].bibtex.startswith("@book{fisher1935,")
    assert _REFERENCES["sign-flip"].text == (
        "Fisher RA (1935). The Design of Experiments. Oliver and Boyd, Edinburgh."
    )
    keys = [one.key for one in _REFERENCES.values()]
    assert len(set(keys)) == len(keys)
