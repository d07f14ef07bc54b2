import pytest

from dropout_lab.errors import SpecError
from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES
from dropout_lab.spec import Spec


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("all", SHIFT_NAMES),
        ("blur", ("blur",)),
        (["rotation", "noise", "rotation"], ("noise", "rotation")),
        (["blur", "all"], SHIFT_NAMES),
        ([], ()),
    ],
)
def test_shifts_are_one_name_some_or_all_in_their_order(given, names):
    spec = Spec(name="a", evaluation={"shift": given})
    assert spec.evaluation.shift == names
    assert type(spec.evaluation).model_validate_json(spec.evaluation.model_dump_json()) == spec.evaluation


def test_sets_are_chosen_alike_and_nothing_is_the_default():
    assert Spec(name="a", evaluation={"ood": "all", "pooling": True}).evaluation.ood == SET_NAMES
    default = Spec(name="a", evaluation={}).evaluation
    assert (default.shift, default.ood, default.pooling) == ((), (), False)


@pytest.mark.parametrize(
    ("evaluation", "options"),
    [
        ({}, ""),
        ({"mc_samples": 20, "shift": "all"}, "--mc-samples 20 --shift all"),
        ({"shift": ["blur", "noise"], "ood": "all"}, "--shift noise --shift blur --ood all"),
        ({"ood": "digits", "pooling": True}, "--ood digits --pooling"),
    ],
)
def test_the_command_evaluate_can_ask_for_the_same(evaluation, options):
    assert Spec(name="a", evaluation=evaluation).evaluation.options == options


@pytest.mark.parametrize(
    ("evaluation", "message"),
    [
        ({"shift": "nois"}, "'nois'"),
        ({"shift": ["noise", "fog"]}, "'fog'"),
        ({"shift": 3}, "[evaluation.shift] invalid value: 3 (allowed: all or noise, blur,"),
        ({"ood": ["digit"]}, "'digit'"),
        ({"pooling": "yes"}, "[evaluation.pooling] invalid value: 'yes' (text) (allowed: true or false)"),
        ({"shifts": "all"}, "did you mean 'shift'?"),
    ],
)
def test_other_values_are_refused(evaluation, message):
    with pytest.raises(SpecError) as error:
        Spec(name="a", evaluation=evaluation)
    assert message in str(error.value)
