"""The network is the published one, and conditions at one seed are twins."""

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.inspection import dropout_layers, summary_text, weights_fingerprint
from dropout_lab.models.published import build_model
from dropout_lab.spec import ModelSpec

PUBLISHED = ModelSpec(dropout={"conv1": 0.2, "conv2": 0.2, "dense": 0.5})

PUBLISHED_LAYERS = [
    ("zero_padding2d", "ZeroPadding2D", (30, 30, 1), 0),
    ("conv2d", "Conv2D", (28, 28, 32), (3 * 3 * 1 + 1) * 32),
    ("dropout", "Dropout", (28, 28, 32), 0),
    ("max_pooling2d", "MaxPooling2D", (14, 14, 32), 0),
    ("zero_padding2d_1", "ZeroPadding2D", (16, 16, 32), 0),
    ("conv2d_1", "Conv2D", (14, 14, 64), (3 * 3 * 32 + 1) * 64),
    ("dropout_1", "Dropout", (14, 14, 64), 0),
    ("max_pooling2d_1", "MaxPooling2D", (7, 7, 64), 0),
    ("flatten", "Flatten", (7 * 7 * 64,), 0),
    ("dense", "Dense", (128,), (7 * 7 * 64 + 1) * 128),
    ("dropout_2", "Dropout", (128,), 0),
    ("dense_1", "Dense", (10,), (128 + 1) * 10),
]


def test_the_network_is_the_published_one_layer_for_layer() -> None:
    model = build_model(PUBLISHED, run_seed=0)
    layers = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]
    assert layers == PUBLISHED_LAYERS
    assert model.count_params() == 421_642
    assert [layer.rate for layer in dropout_layers(model)] == [0.2, 0.2, 0.5]
    assert [
        model.get_layer(name).activation.__name__ for name in ("conv2d", "conv2d_1", "dense", "dense_1")
    ] == [
        "relu",
        "relu",
        "relu",
        "softmax",
    ]


def test_all_layers_are_of_stock_keras() -> None:
    assert {type(layer).__module__.partition(".")[0] for layer in build_model(PUBLISHED, 0).layers} == {
        "keras"
    }


@pytest.mark.parametrize("rates", [0.0, 0.3, 0.9])
def test_the_rate_does_not_change_the_initial_weights(rates: float) -> None:
    twin = ModelSpec(dropout={"conv1": rates, "conv2": rates, "dense": rates})
    assert weights_fingerprint(build_model(twin, 7)) == weights_fingerprint(build_model(PUBLISHED, 7))


def test_dropout_of_the_images_comes_first_and_changes_nothing_else() -> None:
    model = build_model(ModelSpec(dropout={"images": 0.1, "dense": 0.5}), 7)
    assert [layer.name for layer in model.layers] == [
        "images_dropout",
        *(name for name, *_ in PUBLISHED_LAYERS),
    ]
    assert [layer.rate for layer in dropout_layers(model)] == [0.1, 0.0, 0.0, 0.5]
    assert weights_fingerprint(model) == weights_fingerprint(build_model(PUBLISHED, 7))


def test_selu_comes_with_its_initial_weights() -> None:
    model = build_model(ModelSpec(activation="selu"), 7)
    hidden = [model.get_layer(name) for name in ("conv2d", "conv2d_1", "dense")]
    assert [layer.activation.__name__ for layer in hidden] == ["selu"] * 3
    for layer in hidden:
        num_inputs = np.prod(layer.kernel.shape[:-1])
        assert np.std(layer.kernel) == pytest.approx(num_inputs**-0.5, rel=0.2)
    np.testing.assert_array_equal(
        model.get_layer("dense_1").kernel, build_model(PUBLISHED, 7).get_layer("dense_1").kernel
    )


def test_another_seed_changes_the_initial_weights() -> None:
    assert weights_fingerprint(build_model(PUBLISHED, 0)) != weights_fingerprint(build_model(PUBLISHED, 1))


def test_dropout_can_stand_after_pooling() -> None:
    model = build_model(ModelSpec(dropout=PUBLISHED.dropout, dropout_position="after_pooling"), 0)
    names = [layer.name for layer in model.layers]
    assert names.index("dropout") == names.index("max_pooling2d") + 1
    assert names.index("dropout_1") == names.index("max_pooling2d_1") + 1


def test_widths_follow_the_spec() -> None:
    model = build_model(ModelSpec(filters=(3, 5), hidden_units=7), 0)
    assert model.count_params() == (9 + 1) * 3 + (9 * 3 + 1) * 5 + (49 * 5 + 1) * 7 + (7 + 1) * 10


@pytest.mark.parametrize("name", ["dropout", "dropout_1", "dropout_2"])
def test_dropped_neurons_contribute_nothing_and_get_no_gradient(name: str) -> None:
    layer = build_model(PUBLISHED, 0).get_layer(name)
    inputs = tf.random.stateless_uniform((64, *layer.input.shape[1:]), seed=(1, 2), minval=0.5, maxval=1.5)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    gradient = tape.gradient(outputs, inputs).numpy()
    dropped = outputs.numpy() == 0
    assert dropped.mean() == pytest.approx(layer.rate, abs=4 * np.sqrt(0.25 / dropped.size))
    assert not gradient[dropped].any()
    np.testing.assert_allclose(gradient[~dropped], 1 / (1 - layer.rate), rtol=1e-6)


def test_weights_of_a_dropped_neuron_get_no_update() -> None:
    """The gradient of the hidden layer's incoming weights is zero where its neuron was dropped."""
    model = build_model(PUBLISHED, 0)
    hidden, dropout = model.get_layer("dense"), model.get_layer("dropout_2")
    inputs = tf.random.stateless_uniform((1, 3136), seed=(3, 4))
    with tf.GradientTape() as tape:
        outputs = dropout(hidden(inputs), training=True)
    gradient = tape.gradient(outputs, hidden.kernel.value).numpy()
    active = hidden(inputs).numpy()[0] > 0
    dropped = (outputs.numpy()[0] == 0) & active
    assert dropped.any()
    assert not gradient[:, dropped].any()
    assert gradient[:, active & ~dropped].any(axis=0).all()


def test_the_summary_is_a_table_of_the_layers() -> None:
    text = summary_text(build_model(PUBLISHED, 0))
    assert "421,642" in text
    assert all(name in text for name, *_ in PUBLISHED_LAYERS)
