import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import condition_settings, load_spec

TWO_CONDITIONS = """
name: pair
model: {dropout: 0.2, hidden_units: 64}
training: {epochs: 3}
conditions:
  baseline: {model: {dropout: 0}}
  dropout: {model: {dropout: {dense: 0.5}}, training: {learning_rate: 0.01}}
"""


@pytest.fixture
def write(tmp_path):
    def write_spec(text):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_spec


@pytest.mark.parametrize(
    "override, fields",
    [
        ("model.dropout=0.9", "conditions.baseline.model.dropout, conditions.dropout.model.dropout"),
        (
            "model.dropout.dense=0.9",
            "conditions.baseline.model.dropout.dense, conditions.dropout.model.dropout.dense",
        ),
        ("model.dropout.conv1=0.9", "conditions.baseline.model.dropout.conv1"),
        ("model={dropout: 0.9}", "conditions.baseline.model, conditions.dropout.model"),
        ("training.learning_rate=0.1", "conditions.dropout.training.learning_rate"),
    ],
)
def test_an_override_that_conditions_would_ignore_is_refused(write, override, fields):
    with pytest.raises(SpecError) as caught:
        load_spec(write(TWO_CONDITIONS), [override])
    location = override.partition("=")[0]
    assert caught.value.message == (
        f"--set {override}: [{location}] no effect on conditions that set it themselves "
        f"(override {fields} instead)"
    )


def test_an_override_of_all_that_conditions_set_is_accepted(write):
    overrides = ["training.learning_rate=0.1", "conditions.dropout.training.learning_rate=0.2"]
    baseline, dropout = condition_settings(load_spec(write(TWO_CONDITIONS), overrides)).values()
    assert (baseline.training.learning_rate, dropout.training.learning_rate) == (0.1, 0.2)


def test_a_long_list_of_conditions_that_ignore_an_override_is_cut(write):
    conditions = "".join(f"  c{i}: {{device: cpu}}\n" for i in range(9))
    with pytest.raises(SpecError, match=r"c2.device and 6 more instead"):
        load_spec(write(f"name: a\nconditions:\n{conditions}"), ["device=cpu"])


def test_an_override_of_what_conditions_leave_alone_is_accepted(write):
    settings = condition_settings(load_spec(write(TWO_CONDITIONS), ["model.hidden_units=8", "device=cpu"]))
    assert {one.model.hidden_units for one in settings.values()} == {8}
    assert {one.device for one in settings.values()} == {"cpu"}


@pytest.mark.parametrize("names", ["{a: {}, A: {}}", "{Gross: {}, b: {}, GROSS: {}}"])
def test_conditions_that_a_file_system_may_take_for_one_are_refused(write, names):
    with pytest.raises(SpecError, match=r"differs from '.*' only in case"):
        load_spec(write(f"name: a\nconditions: {names}\n"))


def test_a_sequential_design_about_an_evaluation_has_one(write):
    text = "name: a\nprimary: mc_loss\nseeds: {first: 3, most: 5}\nconditions: {a: {}, b: {}}\n"
    with pytest.raises(SpecError, match=r"\[primary\] mc_loss is measured by an evaluation"):
        load_spec(write(text))
    assert load_spec(write(f"{text}evaluation: {{}}\n")).primary == "mc_loss"


@pytest.mark.parametrize(
    ("metric", "missing", "found"),
    [
        ("shift_accuracy", "evaluation: {}", "evaluation: {shift: all}"),
        ("mc_ood_auroc", "evaluation: {shift: all}", "evaluation: {ood: all}"),
        ("pwp_loss", "evaluation: {}", "evaluation: {pooling: true}"),
        ("temperature_ece", "evaluation: {}", "evaluation: {}\ndata: {validation: 0.1}"),
    ],
)
def test_the_evaluation_of_a_sequential_design_measures_its_primary_metric(write, metric, missing, found):
    text = f"name: a\nprimary: {metric}\nseeds: {{first: 3, most: 5}}\nconditions: {{a: {{}}, b: {{}}}}\n"
    with pytest.raises(SpecError, match=rf"\[primary\] {metric} is measured by an evaluation"):
        load_spec(write(text + missing + "\n"))
    assert load_spec(write(text + found + "\n")).primary == metric


def test_problems_of_all_kinds_are_reported_together(write):
    text = "name: a\nseeds: [1, 1]\nconditions: {a: {}, A: {}}\n"
    with pytest.raises(SpecError) as caught:
        load_spec(
            write(text + "claims: [{metric: test_loss, condition: b, reference: a, expected: lower}]\n")
        )
    assert [problem.partition("] ")[2] for problem in caught.value.problems] == [
        "condition 'A' differs from 'a' only in case",
        "unknown condition: 'b' (allowed: a, A)",
        "duplicate seed: 1",
    ]
