import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec
from dropout_lab.spec.problems import describe, line, unknown_name
from dropout_lab.spec.yaml_source import YamlSource

FILE = YamlSource("a.yaml", lines={("training",): 4, ("training", "epochs"): 5})
OVERRIDE = YamlSource("--set training.batch_size=0")
SOURCES = {(): FILE, ("training", "batch_size"): OVERRIDE}


@pytest.mark.parametrize(
    "location, place",
    [
        (("training", "epochs"), "a.yaml:5: [training.epochs]"),
        (("training", "engine"), "a.yaml:4: [training.engine]"),
        (("device",), "a.yaml:1: [device]"),
        (("training", "batch_size"), "--set training.batch_size=0: [training.batch_size]"),
        (("training", "batch_size", "x"), "--set training.batch_size=0: [training.batch_size.x]"),
        (("training",), "--set training.batch_size=0: [training]"),
    ],
)
def test_a_problem_stands_at_the_line_or_the_override_that_set_the_value(location, place):
    assert line(location, SOURCES, "wrong") == f"{place} wrong"


@pytest.mark.parametrize(
    "data, problem",
    [
        ({"epochs": 3}, "unknown key 'epochs' (did you mean 'training.epochs'?)"),
        ({"dense": 0.1, "seeds": 1}, "unknown key 'dense' (allowed: model, training, "),
        ({"model": {"dense": 0.1}}, "unknown key 'dense' (allowed: network, arguments, "),
        ({"training": {"epochs": "3"}}, "invalid value: '3' (text) (allowed: an integer from 1 to 10,000)"),
        ({"training": {"epochs": True}}, "invalid value: true (allowed: "),
        ({"training": {"optimizer": "adm"}}, "invalid value: 'adm' (did you mean 'adam'?) (allowed: adam, "),
        ({"model": {"filters": [1]}}, "invalid length: 1 (allowed: a list of 2, each an integer from "),
        ({"data": {"validation": 2.0}}, "invalid value: 2.0 (allowed: test, a fraction between 0 and 1, or "),
        ({"device": "tpu"}, "invalid value: 'tpu' (allowed: auto, cpu, gpu, gpu:N or gpus)"),
    ],
)
def test_a_problem_says_what_is_wrong_and_what_is_allowed(data, problem):
    with pytest.raises(SpecError) as caught:
        Spec.model_validate({"name": "a"} | data, context={(): FILE})
    (found,) = caught.value.problems
    assert found.startswith("a.yaml:")
    assert found.partition("] ")[2].startswith(problem)


def test_an_unknown_name_gets_the_nearest_or_all():
    assert unknown_name("basline", ["baseline", "dropout"]) == (
        "unknown condition: 'basline' (did you mean 'baseline'?)"
    )
    assert unknown_name("x", ["baseline", "dropout"]) == "unknown condition: 'x' (allowed: baseline, dropout)"


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "none"),
        ({}, "a mapping"),
        ([1], "a list"),
        ((1,), "a list"),
        (True, "true"),
        ("a\x1b", "'a\\x1b'"),
    ],
)
def test_values_are_described_on_one_line(value, text):
    assert describe(value) == text
