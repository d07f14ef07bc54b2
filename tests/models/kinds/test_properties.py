"""What holds for the layer of every kind of dropout."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.sites import seed_masks


def trained(layer, inputs) -> np.ndarray:
    """Return what a training step makes of `inputs`."""
    return keras.ops.convert_to_numpy(layer(inputs, training=True))


def test_the_mean_is_kept(kind) -> None:
    shape = (4000, *kind.shape[1:])
    # SELU units for alpha dropout, whose statement is about mean 0 and variance 1.
    inputs = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    outputs = trained(kind.layer(0.3), inputs)
    # The mean of n outputs, each with variance of about 1 / (1 - rate), in whole maps of 12 at most.
    assert abs(outputs.mean() - inputs.mean()) < 5 * np.sqrt(1 / 0.7 / (inputs.size / 12))


@pytest.mark.parametrize("variable", [False, True])
def test_rate_0_is_the_identity_bit_for_bit(kind, variable: bool) -> None:
    inputs = kind.inputs()
    inputs[0, 0] = -0.0
    layer = kind.layer(0.0, variable_rate=variable)
    assert trained(layer, inputs).tobytes() == inputs.tobytes()


def test_a_variable_at_0_is_the_identity_bit_for_bit(kind) -> None:
    inputs = kind.inputs()
    inputs[0, 0] = -0.0
    layer = kind.layer(0.3, variable_rate=True)
    layer.rate_variable.assign(0.0)
    assert trained(layer, inputs).tobytes() == inputs.tobytes()


@pytest.mark.parametrize("variable", [False, True])
def test_inference_is_the_identity(kind, variable: bool) -> None:
    inputs = kind.inputs()
    layer = kind.layer(variable_rate=variable)
    for arguments in ({}, {"training": False}):
        assert keras.ops.convert_to_numpy(layer(inputs, **arguments)).tobytes() == inputs.tobytes()


def test_equal_seeds_give_equal_masks_and_steps_differ(kind) -> None:
    inputs = kind.inputs()
    first, second, other = kind.layer(seed=1), kind.layer(seed=1), kind.layer(seed=2)
    steps = [trained(first, inputs) for _ in range(2)]
    assert [step.tobytes() for step in steps] == [trained(second, inputs).tobytes() for _ in range(2)]
    assert not np.array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[0], trained(other, inputs))


def test_the_seed_of_a_run_reaches_the_masks_even_at_rate_0(kind) -> None:
    def dropped(run_seed: int) -> np.ndarray:
        layer = kind.layer(0.0, seed=None, variable_rate=True, name="site")
        model = keras.Sequential([keras.Input(kind.shape[1:]), layer])
        seed_masks(model, run_seed)
        layer.rate_variable.assign(0.5)
        return trained(layer, kind.inputs())

    assert np.array_equal(dropped(1), dropped(1))
    assert not np.array_equal(dropped(1), dropped(2))


@pytest.mark.parametrize("rate", [0.3, 0.123])
def test_a_variable_rate_gives_the_bits_of_a_constant_one(kind, rate: float) -> None:
    inputs = kind.inputs()
    constant, variable = kind.layer(rate), kind.layer(0.7, variable_rate=True)
    variable.rate_variable.assign(rate)
    assert variable.current_rate == constant.current_rate == rate
    for _ in range(2):
        assert trained(variable, inputs).tobytes() == trained(constant, inputs).tobytes()


def test_a_rate_of_many_decimals_gives_the_same_mask(kind) -> None:
    constant, variable = (kind.layer(1 / 3, variable_rate=chosen) for chosen in (False, True))
    expected, outputs = trained(constant, kind.inputs()), trained(variable, kind.inputs())
    np.testing.assert_array_equal(outputs == 0, expected == 0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)


def test_assigning_changes_a_compiled_step_without_tracing_again(kind) -> None:
    layer = kind.layer(0.5, variable_rate=True)
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, *kind.shape[1:]])])
    def step(inputs: tf.Tensor) -> tf.Tensor:
        traces.append(inputs.shape)
        return layer(inputs, training=True)

    inputs = np.ones(kind.shape, np.float32)
    spread = {}
    for rate in (0.5, 0.0, 0.8):
        layer.rate_variable.assign(rate)
        spread[rate] = np.mean([step(inputs).numpy().std() for _ in range(20)])
    assert traces == [(None, *kind.shape[1:])]
    assert spread[0.0] == 0 < spread[0.5]
    if kind.zeros:
        assert spread[0.5] < spread[0.8]


def test_the_gradient_is_0_where_dropped_and_the_scale_elsewhere(kind) -> None:
    inputs = tf.constant(kind.inputs())
    for variable in (False, True):
        layer = kind.layer(0.3, variable_rate=variable)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        gradient = tape.gradient(outputs, inputs).numpy()
        if kind.zeros:
            np.testing.assert_array_equal(gradient == 0, outputs.numpy() == 0)
            assert (gradient == 0).any()
            np.testing.assert_allclose(gradient * inputs.numpy(), outputs.numpy(), rtol=1e-6)
        else:
            assert np.isfinite(gradient).all()


def test_saving_and_loading_keeps_arguments_rate_and_masks(kind, tmp_path) -> None:
    layer = kind.layer(0.25, variable_rate=True, name="site")
    model = keras.Sequential([keras.Input(kind.shape[1:]), layer])
    layer.rate_variable.assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").get_layer("site")
    assert type(loaded) is type(layer)
    assert loaded.get_config() == layer.get_config()
    assert (loaded.rate, loaded.current_rate) == (0.25, 0.5)
    assert trained(loaded, kind.inputs()).tobytes() == trained(layer, kind.inputs()).tobytes()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_drops_what_float32_drops(kind, policy: str) -> None:
    inputs = kind.inputs()
    half, full = kind.layer(0.3, dtype=policy, variable_rate=True), kind.layer(0.3)
    outputs = half(inputs, training=True)
    assert outputs.dtype == half.compute_dtype != "float32"
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(inputs, half.compute_dtype)).astype(np.float32)
    expected = tf.cast(trained(full, rounded), half.compute_dtype).numpy()
    assert np.asarray(outputs).tobytes() == expected.tobytes()


@pytest.mark.parametrize("rate", [-0.5, 1, 1.5, True, "0.5", None, float("nan")])
def test_other_rates_are_refused(kind, rate) -> None:
    with pytest.raises(ValueError, match=r"argument `rate`. Expected a float value between 0 and 1"):
        kind.layer(rate)


def test_outputs_have_the_shape_of_the_inputs_and_masks_pass(kind) -> None:
    layer = kind.layer()
    assert layer(keras.Input(kind.shape[1:])).shape == (None, *kind.shape[1:])
    assert layer.compute_output_shape((None, *kind.shape[1:])) == (None, *kind.shape[1:])
    assert layer.supports_masking


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("variable", [False, True])
def test_outputs_are_those_of_the_layer_of_keras(stock_kind, rate: float, variable: bool) -> None:
    ours, theirs = stock_kind.layer(rate, 7, variable_rate=variable), stock_kind.stock(rate, seed=7)
    for _ in range(2):
        outputs = trained(ours, stock_kind.inputs())
        assert outputs.tobytes() == trained(theirs, stock_kind.inputs()).tobytes()
