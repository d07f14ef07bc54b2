"""Concrete dropout learns its rate from the paper's objective."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.kinds import ConcreteDropout


def built(rate: float = 0.2, shape=(None, 6), **options) -> ConcreteDropout:
    layer = ConcreteDropout(rate, 1, **{"num_examples": 50, **options})
    layer.build(shape)
    return layer


def test_the_mask_is_the_formula_of_the_paper() -> None:
    rate, temperature = 0.3, 0.1
    outputs = built(rate)(np.ones((40, 6), np.float32), training=True).numpy()
    uniform = keras.random.uniform((40, 6), seed=keras.random.SeedGenerator(1)).numpy().astype(np.float64)
    noise = np.log(uniform + 1e-7) - np.log(1 - uniform + 1e-7)
    z = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + noise) / temperature))
    np.testing.assert_allclose(outputs, (1 - z) / (1 - rate), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_about_the_rate_is_dropped_and_the_mean_kept_to_half_a_percent(rate: float) -> None:
    outputs = built(rate)(np.ones((20_000, 6), np.float32), training=True).numpy()
    assert abs((outputs * (1 - rate) < 0.5).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / outputs.size)
    assert outputs.mean() == pytest.approx(1, abs=0.005 + 5 * np.sqrt(rate / (1 - rate) / outputs.size))


@pytest.mark.parametrize("shape", [(20, 5, 8), (20, 3, 2, 8)])
def test_feature_maps_are_dropped_as_a_whole(shape) -> None:
    maps = built(0.5, shape)(np.ones(shape, np.float32), training=True).numpy().reshape(20, -1, 8)
    np.testing.assert_array_equal(maps, np.broadcast_to(maps[:, :1], maps.shape))
    assert len(np.unique(maps[:, 0])) > 100


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_loss_has_the_terms_of_the_paper(policy: str) -> None:
    rate, num_examples, length_scale = 0.2, 50, 0.7
    layer = built(rate, length_scale=length_scale, dtype=policy)
    following = keras.layers.Dense(3, dtype=policy)
    following.build((None, 6))
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    (loss,) = layer.losses
    assert float(loss) == pytest.approx(-6 / num_examples * entropy, rel=1e-5)
    layer.regularize(following)
    kernel = length_scale**2 / (2 * num_examples * (1 - rate)) * np.square(following.kernel).sum()
    (loss,) = layer.losses
    assert float(loss) == pytest.approx(-6 / num_examples * entropy + kernel, rel=1e-5)


def test_a_model_counts_the_next_layer_once_and_trains_all() -> None:
    drop, dense = ConcreteDropout(0.2, 1, num_examples=50, length_scale=1.0), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((6,)), drop, dense])
    drop.regularize(dense)
    assert [variable.path.split("/")[-1] for variable in model.trainable_variables] == [
        "logit",
        "kernel",
        "bias",
    ]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(np.ones((4, 6), np.float32), training=True)) + sum(model.losses)
    logit, kernel, _ = tape.gradient(loss, model.trainable_variables)
    assert float(logit) != 0
    # Of the data: equal for all outputs; of the penalty: l^2 W / (N (1 - p)).
    of_penalty = dense.kernel.numpy() / (50 * 0.8)
    np.testing.assert_allclose(
        kernel.numpy() - of_penalty, np.repeat((kernel.numpy() - of_penalty)[:, :1], 3, axis=1), atol=1e-5
    )


def test_the_terms_pull_the_rate_in_the_directions_of_the_paper() -> None:
    def pull(layer: ConcreteDropout) -> float:
        with tf.GradientTape() as tape:
            (loss,) = layer.losses
        return -float(tape.gradient(loss, layer.logit.value))

    layer = built(0.2)
    assert pull(layer) > 0 > pull(built(0.8))  # entropy, toward 0.5
    assert pull(built(0.2, num_examples=500)) == pytest.approx(pull(layer) / 10)
    following = keras.layers.Dense(3, kernel_initializer="ones")
    following.build((None, 6))
    heavy = built(0.2, length_scale=10.0)
    heavy.regularize(following)
    assert pull(heavy) < 0  # large weights, toward 0


def test_rate_0_learns_nothing() -> None:
    layer = built(0.0)
    assert (layer.logit, layer.losses, layer.trainable_variables, layer.current_rate) == (None, [], [], 0)


@pytest.mark.parametrize("argument", ["num_examples", "length_scale", "temperature"])
@pytest.mark.parametrize("value", [0, -1, True, "5", float("inf"), None])
def test_other_arguments_are_refused(argument: str, value) -> None:
    with pytest.raises(ValueError, match=f"argument `{argument}`"):
        built(**{argument: value})


def test_a_scheduled_rate_and_an_unknown_number_of_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="rate of concrete dropout is learned"):
        built(variable_rate=True)
    with pytest.raises(ValueError, match="known last dimension"):
        built(shape=(None, None))


def learned_rate(num_examples: int, noise: float, steps: int = 600) -> float:
    """Return the rate learned on a noisy sine, with the likelihood of the known noise."""
    random = np.random.default_rng(1)
    x = random.uniform(-2, 2, (num_examples, 1)).astype(np.float32)
    y = (np.sin(2 * x) + noise * random.normal(size=x.shape)).astype(np.float32)
    keras.utils.set_random_seed(0)
    drop, last = ConcreteDropout(0.1, 1, num_examples=num_examples), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(64, "relu"), drop, last])
    drop.regularize(last)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            error = model(x, training=True) - y
            loss = tf.reduce_mean(tf.square(error)) / (2 * noise**2) + tf.add_n(model.losses)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for _ in range(steps):
        step()
    return drop.current_rate


@pytest.mark.slow
def test_few_examples_and_much_noise_give_a_higher_rate() -> None:
    rates = {
        (num_examples, noise): learned_rate(num_examples, noise)
        for num_examples, noise in [(10, 0.3), (100, 0.3), (1000, 0.3), (100, 1.0)]
    }
    assert rates[10, 0.3] > 0.3 > rates[100, 0.3] > 0.03 > rates[1000, 0.3]
    assert rates[100, 1.0] > 2 * rates[100, 0.3]
