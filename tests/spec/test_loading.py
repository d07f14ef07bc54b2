import os
from pathlib import Path

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import SequentialSeeds, condition_settings, load_spec, seeds_override

TWO_CONDITIONS = """
name: pair
model: {dropout: 0.2, hidden_units: 64}
training: {epochs: 3}
seeds: 2
conditions:
  baseline: {model: {dropout: 0}}
  dropout: {model: {dropout: {dense: 0.5}}, training: {learning_rate: 0.01}}
"""


@pytest.fixture
def write(tmp_path):
    def write_spec(text: str) -> Path:
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_spec


def test_a_name_alone_is_the_published_protocol_without_dropout(write):
    spec = load_spec(write("name: a\n"))
    (settings,) = condition_settings(spec).values()
    assert settings.model.dropout == {"conv1": 0, "conv2": 0, "dense": 0}
    assert (settings.training.epochs, settings.training.batch_size) == (10, 200)
    assert (settings.training.optimizer, settings.training.learning_rate) == ("adam", 0.001)
    assert settings.data.validation == "test"
    assert spec.seeds == (0,)


def test_a_flat_file_is_one_condition_of_its_name(write):
    spec = load_spec(write("name: dropout\nmodel: {dropout: 0.3}\n"))
    (name,) = condition_settings(spec)
    assert name == "dropout"


def test_conditions_share_all_but_what_they_change(write):
    baseline, dropout = condition_settings(load_spec(write(TWO_CONDITIONS))).values()
    assert baseline.model.dropout == {"conv1": 0, "conv2": 0, "dense": 0}
    assert dropout.model.dropout == {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
    assert (baseline.training.learning_rate, dropout.training.learning_rate) == (0.001, 0.01)
    for settings in (baseline, dropout):
        assert settings.training.epochs == 3
        assert settings.model.hidden_units == 64


@pytest.mark.parametrize(
    "seeds, expected",
    [("3", (0, 1, 2)), ("[3]", (3,)), ("[5, 2]", (5, 2)), ("1", (0,)), (f"[{2**31 - 1}]", (2**31 - 1,))],
)
def test_seeds_are_a_list_or_a_number_of_them(write, seeds, expected):
    assert load_spec(write(f"name: a\nseeds: {seeds}\n")).seeds == expected


@pytest.mark.parametrize("validation", ["test", 0.1, 5000, 1, 59_999])
def test_validation_is_test_a_fraction_or_a_count(write, validation):
    loaded = load_spec(write(f"name: a\ndata: {{validation: {validation}}}\n")).data.validation
    assert loaded == validation
    assert type(loaded) is type(validation)


def test_overrides_change_any_field(write):
    overrides = [
        "training.epochs=1",
        "seeds=[4, 5]",
        "conditions.dropout.model.dropout.dense=0.4",
        "data.num_train = 100",
        "conditions.dropout.training.learning_rate=1e-4",
        "description='a: b'",
    ]
    spec = load_spec(write(TWO_CONDITIONS), overrides)
    baseline, dropout = condition_settings(spec).values()
    assert spec.seeds == (4, 5)
    assert spec.description == "a: b"
    assert baseline.training.epochs == dropout.training.epochs == 1
    assert baseline.data.num_train == 100
    assert dropout.model.dropout == {"conv1": 0.2, "conv2": 0.2, "dense": 0.4}
    assert dropout.training.learning_rate == 1e-4


def test_the_last_of_two_overrides_holds(write):
    assert load_spec(write("name: a\n"), ["training.epochs=1", "training.epochs=2"]).training.epochs == 2


@pytest.mark.parametrize(
    "override, message",
    [
        ("training.epochs=0", "[training.epochs] invalid value: 0 (allowed: an integer from 1 to 10,000)"),
        ("training.epochs=", "[training.epochs] invalid value: none (allowed: an integer"),
        ("training.epocs=1", "[training.epocs] unknown key 'epocs' (did you mean 'epochs'?)"),
        ("training.epochs.x=1", "[training.epochs] no key 'x' in 4"),
        ("seeds.0=1", "[seeds] no key '0' in a list"),
        ("training.epochs", "not of the form KEY=VALUE, such as training.epochs=3"),
        ("=1", "not of the form KEY=VALUE, such as training.epochs=3"),
        ("training..epochs=1", "not of the form KEY=VALUE, such as training.epochs=3"),
        ("a." * 30 + "b=1", "not of the form KEY=VALUE, such as training.epochs=3"),
        ("seeds=[1", "invalid YAML: "),
        ("name=\x1b[31m", "control character U+001B"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_named(write, override, message):
    path = write("name: a\nseeds: [1, 2]\ntraining: {epochs: 4}\n")
    with pytest.raises(SpecError) as caught:
        load_spec(path, [override])
    assert caught.value.message.startswith("--set ")
    assert message in caught.value.message
    assert caught.value.message.isprintable()


def test_the_experiment_is_the_specs_else_the_environments_else_its_name(write, monkeypatch):
    assert load_spec(write("name: a\n")).experiment == "a"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    assert load_spec(write("name: a\n")).experiment == "from the environment"
    assert load_spec(write("name: a\nexperiment: own\n")).experiment == "own"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "../x")
    with pytest.raises(SpecError, match=r"^MLFLOW_EXPERIMENT_NAME: invalid name: '../x' \(allowed: 1 to 100"):
        load_spec(write("name: a\n"))


EXTENDED = """
x-small: &small {epochs: 1, batch_size: 1_000}
x-unused: [1, {a: 2}]
name: a
training: {<<: *small, epochs: 2}
conditions:
  x-named: {}
  other: {training: *small}
"""


def test_keys_for_anchors_are_ignored_and_what_they_hold_is_merged(write):
    named, other = condition_settings(load_spec(write(EXTENDED))).values()
    assert (named.training.epochs, named.training.batch_size) == (2, 1000)
    assert (other.training.epochs, other.training.batch_size) == (1, 1000)
    with pytest.raises(SpecError, match="unknown key 'x-a'"):
        load_spec(write("name: a\n"), ["x-a=1"])


def test_a_file_that_is_not_there_is_looked_for_in_experiments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("experiments").mkdir()
    Path("experiments/study.yaml").write_text("name: study\n")
    for name in ("study", "study.yaml"):
        with pytest.raises(SpecError, match=r"file not found \(did you mean 'experiments/study.yaml'\?\)"):
            load_spec(Path(name))


def test_claims_are_read(write):
    claims = "claims:\n- {metric: test_loss, condition: dropout, expected: lower, margin: 0.01}\n"
    (claim,) = load_spec(write(TWO_CONDITIONS + claims)).claims
    assert claim.reference == "baseline"
    assert (claim.metric, claim.condition, claim.expected) == ("test_loss", "dropout", "lower")
    assert claim.margin == 0.01


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\r\nseeds: 2\r\n")
    assert load_spec(path).seeds == (0, 1)


def test_a_spec_keeps_the_text_that_it_was_read_from(write, monkeypatch):
    text = "name: a  # why\n"
    assert load_spec(write(text), ["seeds=3"]).text == text
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "other")
    assert load_spec(write(text)).text == text


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_a_spec_can_be_read_from_a_pipe(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"name: a\nclaims: []\n")
    os.close(writing)
    assert load_spec(Path(f"/dev/fd/{reading}")).text == "name: a\nclaims: []\n"
    os.close(reading)


def test_seeds_can_be_a_sequential_design(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: s\nseeds: {first: 5, most: 30, step: 5}\nprimary: test_loss\nconditions: {a: {}, b: {}}\n"
    )
    spec = load_spec(path)
    assert spec.seeds == SequentialSeeds(first=5, most=30, step=5)
    assert spec.all_seeds == tuple(range(30))
    assert load_spec(path, [seeds_override("4..9")]).seeds == SequentialSeeds(first=4, most=9)
    assert load_spec(path, [seeds_override("3")]).seeds == (0, 1, 2)
    assert load_spec(path, [seeds_override("3,1")]).seeds == (3, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: {first: 5, most: 5}", r"\[seeds.most\] invalid value: 5 \(allowed: more than first, 5\)"),
        (
            "seeds: {first: 1, most: 5}",
            r"\[seeds.first\] invalid value: 1 \(allowed: an integer from 2 to 1,000\)",
        ),
        ("seeds: {frst: 2, most: 5}", r"\[seeds.frst\] .*did you mean 'first'"),
        ("primary: test_acuracy", r"\[primary\] .*did you mean 'test_accuracy'"),
        ("margins: {test_los: 0.1}", r"\[margins.test_los\] .*did you mean 'test_loss'"),
        ("margins: {test_loss: 0}", r"\[margins.test_loss\] invalid value: 0 \(allowed: a number above 0\)"),
    ],
)
def test_a_mistake_in_the_design_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(f"name: s\n{text}\n")
    with pytest.raises(SpecError, match=message):
        load_spec(path)
