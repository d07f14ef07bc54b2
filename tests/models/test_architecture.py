"""Networks of the user's are called as the spec says, and what is wrong with them is named."""

import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import keras
import pytest

from dropout_lab.errors import FunctionError
from dropout_lab.models.architecture import custom_objects, load_architecture, network_code, network_function
from dropout_lab.models.network import build_network
from dropout_lab.spec import ModelSpec


def spec_of(networks: Path, name: str, **fields: object) -> ModelSpec:
    return ModelSpec.model_validate({"network": f"{networks}:{name}", **fields})


def test_a_function_gets_what_its_signature_takes_and_the_arguments_of_the_spec(networks: Path) -> None:
    model = load_architecture(spec_of(networks, "cnn", arguments={"filters": 5}), (8, 8, 1), 3).build()
    assert model.input_shape == (None, 8, 8, 1)
    assert model.output_shape == (None, 3)
    assert model.layers[0].filters == 5
    # This one calls the number of classes `classes`.
    assert load_architecture(spec_of(networks, "lstm"), (6,), 4).build().output_shape == (None, 4)


def test_a_function_without_a_shape_is_called_for_each(tmp_path: Path) -> None:
    file = tmp_path / "any_size.py"
    file.write_text(
        "from keras import Sequential, layers\n"
        "def build(num_classes):\n"
        "    pooled = layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()\n"
        "    return Sequential([*pooled, layers.Dense(num_classes)])\n"
    )
    spec = ModelSpec(network=f"{file}:build")
    for shape in ((8, 8, 1), (6, 6, 3)):
        assert load_architecture(spec, shape, 3).build().input_shape == (None, *shape)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("cnm", {}, r"has no function 'cnm' \(did you mean 'cnn'\?\)"),
        ("nothing", {}, r"nothing returned NoneType \(required: a Keras model\)"),
        ("failing", {}, r"failing failed in .*own_networks.py, line \d+: KeyError: 'missing'"),
        (
            "cnn",
            {"arguments": {"filter": 1}},
            r"unknown argument of .*cnn: 'filter' \(did you mean 'filters'\?\)",
        ),
        ("with_lambda", {}, "with_lambda cannot be built again: .*"),
    ],
)
def test_what_is_wrong_with_a_function_is_named(
    networks: Path, name: str, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(FunctionError, match=message):
        build_network(spec_of(networks, name, **fields), (8, 8, 1), 3, 0)


def test_pretrained_weights_are_refused_and_not_asked_for() -> None:
    spec = {"network": "keras.applications:MobileNetV2", "arguments": {"alpha": 0.35}}
    spec["arguments"]["weights"] = "imagenet"
    with pytest.raises(FunctionError, match=r"model.arguments.weights: 'imagenet' \(allowed: null\)"):
        load_architecture(ModelSpec.model_validate(spec), (32, 32, 3), 10)


def test_a_saved_model_gives_its_architecture_and_not_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.2, name="drop"), keras.layers.Dense(3)]
    )
    model.compile("adam", "mse")
    path = tmp_path / "saved.keras"
    model.save(path)
    network = build_network(ModelSpec(network=str(path)), (4,), 3, 0)
    assert network.rates == {"drop": 0.2}
    assert not (network.model.layers[-1].kernel.numpy() == model.layers[-1].kernel.numpy()).any()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (str(path), "~/saved.keras"):
        assert network.code_fingerprint == network_code(ModelSpec(network=name)) != ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
    whole = path.read_bytes()
    place = whole.index(b"config.json") + len("config.json")
    for content in (b"no archive", whole[:place] + b"\xff" * 2 + whole[place + 2 :]):
        path.write_bytes(content)
        with pytest.raises(FunctionError, match=r"saved\.keras is no model saved by Keras"):
            network_code(ModelSpec(network=str(path)))
    path.unlink()
    with pytest.raises(FunctionError, match="not found in"):
        network_code(ModelSpec(network=str(path)))


def test_classes_of_the_users_are_found_for_loading(networks: Path) -> None:
    found = custom_objects(network_function(spec_of(networks, "cnn")))
    assert {"Scale", "Block", "Whole"} <= set(found)
    assert custom_objects(network_function(ModelSpec())) == {}
    assert network_code(ModelSpec(network="mlp")) == ""


def test_classes_are_those_of_the_folder_of_the_network(tmp_path: Path) -> None:
    specs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own_layers.py").write_text(
            f"import keras\nclass Scale(keras.layers.Layer):\n    name_of_folder = {name!r}\n"
            "    def call(self, inputs): return inputs\n"
        )
        path = tmp_path / name / "layered_network.py"
        path.write_text(
            "import keras, own_layers\ndef build(input_shape, num_classes):\n"
            "    layers = [keras.Input(input_shape), own_layers.Scale(), keras.layers.Dense(num_classes)]\n"
            "    return keras.Sequential(layers)\n"
        )
        specs.append(ModelSpec(network=f"{path}:build"))
    for spec in [*specs, *specs]:
        model = build_network(spec, (4,), 3, 0).model
        assert model.layers[0].name_of_folder == Path(spec.network).parent.name
        assert custom_objects(network_function(spec))["Scale"] is type(model.layers[0])


def test_classes_of_the_program_are_not_those_of_its_network(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras saves classes with the name of their module, and ``__main__`` is another program elsewhere."""
    program = ModuleType("__main__")
    vars(program).update(__file__=str(networks), Main=type("Main", (), {}))
    monkeypatch.setitem(sys.modules, "__main__", program)
    assert "Main" not in custom_objects(network_function(spec_of(networks, "cnn")))


def test_a_class_with_a_module_of_its_own_kind_does_no_harm(tmp_path: Path) -> None:
    """Such as ObjectProxy of wrapt, which many libraries import."""
    path = tmp_path / "proxied_network.py"
    path.write_text(
        "import keras\n"
        "class Proxy:\n    __module__ = property(lambda self: 'elsewhere')\n"
        "def build(input_shape, num_classes):\n"
        "    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(num_classes)])\n"
    )
    function = network_function(ModelSpec(network=f"{path}:build"))
    assert set(custom_objects(function)) == {"Proxy", "build"}


def test_an_edited_file_has_another_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "edited_network.py"
    text = "import keras\ndef build(input_shape, num_classes):\n    return keras.Sequential([keras.Input("
    text += "input_shape), keras.layers.Dense(num_classes, use_bias=BIAS)])\n"
    path.write_text(f"BIAS = True\n{text}")
    spec = ModelSpec(network=f"{path}:build")
    before = build_network(spec, (4,), 3, 0)
    path.write_text(f"BIAS = False  # edited\n{text}")
    after = build_network(spec, (4,), 3, 0)
    assert before.code_fingerprint != after.code_fingerprint == network_code(spec)
    assert (len(before.model.weights), len(after.model.weights)) == (2, 1)


def test_its_configuration_is_json_without_seeds_of_initializers(networks: Path) -> None:
    architecture = load_architecture(spec_of(networks, "seeded_by_hand"), (4,), 3)
    assert '"seed": 1' not in json.dumps(json.loads(architecture.config))
