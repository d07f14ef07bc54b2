"""What holds for the layer of every kind of dropout."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.sites import seed_masks


def trained(layer, inputs) -> np.ndarray:
    """Return what a training step makes of `inputs`."""
    return keras.ops.convert_to_numpy(layer(inputs, training=True))


def test_the_mean_is_kept(unit_kind) -> None:
    inputs = unit_kind.inputs(4000)
    outputs = trained(unit_kind.layer(0.3), inputs)
    # Outputs have a variance of about 1 / (1 - rate), and at most 12 of them are dropped together.
    assert abs(outputs.mean() - inputs.mean()) < 5 * np.sqrt(1 / 0.7 / (inputs.size / 12))


def test_rate_0_is_the_identity_bit_for_bit(kind) -> None:
    inputs = kind.inputs()
    assert trained(kind.layer(0.0), inputs).tobytes() == kind.without_dropout(inputs).tobytes()


def test_a_variable_at_0_is_the_identity_bit_for_bit(variable_kind) -> None:
    inputs = variable_kind.inputs()
    layer = variable_kind.layer(0.3, variable_rate=True)
    layer.rate_variable.assign(0.0)
    assert trained(layer, inputs).tobytes() == variable_kind.without_dropout(inputs).tobytes()


def test_inference_drops_nothing(kind) -> None:
    inputs, layer = kind.inputs(), kind.layer()
    for arguments in ({}, {"training": False}, {"training": None}):
        outputs = keras.ops.convert_to_numpy(layer(inputs, **arguments))
        assert outputs.tobytes() == kind.without_dropout(inputs).tobytes()


def test_equal_seeds_give_equal_masks_and_steps_differ(kind) -> None:
    inputs = kind.inputs()
    first, second, other = kind.layer(seed=1), kind.layer(seed=1), kind.layer(seed=2)
    steps = [trained(first, inputs) for _ in range(2)]
    assert [step.tobytes() for step in steps] == [trained(second, inputs).tobytes() for _ in range(2)]
    assert not np.array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[0], trained(other, inputs))


def test_the_seed_of_a_run_reaches_the_masks(kind) -> None:
    def dropped(run_seed: int) -> np.ndarray:
        if kind.learned:
            layer = kind.layer(0.5, seed=None, name="site")
        else:  # a schedule may start at 0
            layer = kind.layer(0.0, seed=None, name="site", variable_rate=True)
            layer.rate_variable.assign(0.5)
        seed_masks(keras.Sequential([keras.Input(kind.shape[1:]), layer]), run_seed)
        return trained(layer, kind.inputs())

    assert np.array_equal(dropped(1), dropped(1))
    assert not np.array_equal(dropped(1), dropped(2))


@pytest.mark.parametrize("rate", [0.3, 0.123])
def test_a_variable_rate_gives_the_bits_of_a_constant_one(variable_kind, rate: float) -> None:
    inputs = variable_kind.inputs()
    constant, variable = variable_kind.layer(rate), variable_kind.layer(0.7, variable_rate=True)
    variable.rate_variable.assign(rate)
    assert variable.current_rate == constant.current_rate == rate
    for _ in range(2):
        assert trained(variable, inputs).tobytes() == trained(constant, inputs).tobytes()


def test_a_rate_of_many_decimals_gives_the_same_mask(variable_kind) -> None:
    inputs = variable_kind.inputs()
    constant, variable = (variable_kind.layer(1 / 3, variable_rate=chosen) for chosen in (False, True))
    expected, outputs = trained(constant, inputs), trained(variable, inputs)
    np.testing.assert_array_equal(outputs == 0, expected == 0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)


def test_assigning_changes_a_compiled_step_without_tracing_again(variable_kind) -> None:
    layer = variable_kind.layer(0.5, variable_rate=True)
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, *variable_kind.shape[1:]])])
    def step(inputs: tf.Tensor) -> tf.Tensor:
        traces.append(inputs.shape)
        return layer(inputs, training=True)

    inputs = np.ones(variable_kind.shape, np.float32)
    layer(inputs)
    changes = {}
    for rate in (0.5, 0.0, 0.9):
        layer.rate_variable.assign(rate)
        outputs = [step(inputs).numpy() for _ in range(10)]
        changes[rate] = np.square(np.stack(outputs) - variable_kind.without_dropout(inputs)).mean()
    assert traces == [(None, *variable_kind.shape[1:])]
    assert changes[0.0] < 1e-12 < changes[0.5]  # not 0: a compiled matrix product rounds in another way
    if variable_kind.zeros:  # a variance of rate / (1 - rate)
        assert changes[0.5] < changes[0.9]


@pytest.mark.parametrize("options", [{}, {"variable_rate": True}])
def test_the_gradient_is_0_where_dropped_and_the_scale_elsewhere(zero_kind, options) -> None:
    inputs = tf.constant(zero_kind.inputs())
    layer = zero_kind.layer(0.3, **options)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    gradient = tape.gradient(outputs, inputs).numpy()
    shown = inputs.numpy() != 0
    np.testing.assert_array_equal(gradient[shown] == 0, outputs.numpy()[shown] == 0)
    assert (gradient == 0).any() and (gradient > 1).any()
    np.testing.assert_allclose(gradient * inputs.numpy(), outputs.numpy(), rtol=1e-6)


def test_saving_and_loading_keeps_arguments_rate_and_masks(kind, tmp_path) -> None:
    layer = kind.layer(0.25, name="site", **({} if kind.learned else {"variable_rate": True}))
    model = keras.Sequential([keras.Input(kind.shape[1:]), layer])
    (layer.logit if kind.learned else layer.rate_variable).assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").get_layer("site")
    assert type(loaded) is type(layer)
    assert loaded.get_config() == layer.get_config()
    assert (loaded.rate, loaded.current_rate) == (0.25, layer.current_rate)
    assert layer.current_rate != 0.25
    assert trained(loaded, kind.inputs()).tobytes() == trained(layer, kind.inputs()).tobytes()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_drops_what_float32_drops(unit_kind, policy: str) -> None:
    half, full = unit_kind.layer(dtype=policy), unit_kind.layer()
    outputs = half(unit_kind.inputs(), training=True)
    assert outputs.dtype == half.compute_dtype != "float32"
    rounded = keras.ops.cast(unit_kind.inputs(), half.compute_dtype)
    expected = tf.cast(trained(full, keras.ops.cast(rounded, "float32")), half.compute_dtype)
    assert np.asarray(outputs).tobytes() == np.asarray(expected).tobytes()


@pytest.mark.parametrize("rate", [-0.5, 1, 1.5, True, "0.5", None, float("nan")])
def test_other_rates_are_refused(kind, rate) -> None:
    with pytest.raises(ValueError, match=r"argument `rate`. Expected a float value between 0 and 1"):
        kind.layer(rate)


def test_outputs_have_the_shape_of_the_inputs_and_masks_pass(unit_kind) -> None:
    layer = unit_kind.layer()
    assert layer(keras.Input(unit_kind.shape[1:])).shape == (None, *unit_kind.shape[1:])
    assert layer.compute_output_shape((None, *unit_kind.shape[1:])) == (None, *unit_kind.shape[1:])
    assert layer.supports_masking


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("variable", [False, True])
def test_outputs_are_those_of_the_layer_of_keras(stock_kind, rate: float, variable: bool) -> None:
    ours, theirs = stock_kind.layer(rate, 7, variable_rate=variable), stock_kind.stock(rate, seed=7)
    for _ in range(2):
        outputs = trained(ours, stock_kind.inputs())
        assert outputs.tobytes() == trained(theirs, stock_kind.inputs()).tobytes()
