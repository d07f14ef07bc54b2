"""Monte Carlo dropout: predictions of a trained network with dropout on, and nothing else of training.

Source: Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016, section 4.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dropout_lab.data.dataset import Inputs
from dropout_lab.data.scaling import Scaling
from dropout_lab.evaluation.uncertainty import MonteCarlo
from dropout_lab.models.keras_internals import graph_of
from dropout_lab.models.network import Network
from dropout_lab.models.sites import random_numbers_kept, seed_masks, walk
from dropout_lab.training.dropout_on import PURPOSE, all_hashed, dropout_on, layers_that_drop
from dropout_lab.training.graphs import has_known_layers
from dropout_lab.training.inputs import scale_inputs
from dropout_lab.training.memory import examples_that_fit
from dropout_lab.training.replacing import replaced

LARGEST_TENSOR = 2**22
"""Values in the largest activation of a batch: 16 MiB in float32, which the caches of a processor hold."""


class MonteCarloPredictor:
    """Class probabilities of a network with dropout on, summarized over samples.

    Batch normalization and everything else stays in inference mode. What a functional or sequential network
    computes before its first site with dropout is computed once for all samples of a batch.

    Args:
        network: Network whose current weights and rates are used.
        scaling: From stored values to those that the network takes.
        run_seed: Seed of the run, from which the masks follow.
    """

    def __init__(self, network: Network, scaling: Scaling, run_seed: int) -> None:
        self._model = network.model
        self._seed = run_seed
        self._batch_size = examples_that_fit(network.model, LARGEST_TENSOR)
        dropping = layers_that_drop(network)
        self.has_dropout = bool(dropping)
        # A compiled mask takes one thread: two samples at a time keep two busy.
        is_stateless = all_hashed(dropping, network.model) and has_known_layers(network)
        at_once = 2 if is_stateless else 1

        def forward(
            inputs: tf.Tensor, num_samples: tf.Tensor, first_sample: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            scaled = scale_inputs(inputs, scaling)
            with _results_shared(network.model, dropping.values()):
                # Fills the memory with what all samples share. What follows dropout here has no use, and
                # TensorFlow drops it from the graph.
                plain = network.model(scaled, training=False)

                def sample(
                    done: tf.Tensor, probs: tf.Tensor, entropy: tf.Tensor
                ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
                    with dropout_on(dropping, run_seed, first_sample + done):
                        outputs = tf.cast(network.model(scaled, training=False), tf.float64)
                    one = tf.nn.softmax(outputs) if network.outputs == "logits" else outputs
                    own_entropy = -tf.reduce_sum(tf.math.xlogy(one, one), axis=1)
                    return done + 1, probs + one, entropy + own_entropy

                # In float64, so that the sums of many samples are as exact as one.
                probs = tf.zeros_like(plain, tf.float64)
                start = (tf.constant(0), probs, probs[:, 0])
                _, probs, entropy = tf.while_loop(
                    lambda done, *_: done < num_samples, sample, start, parallel_iterations=at_once
                )
            count = tf.cast(num_samples, tf.float64)
            return probs / count, entropy / count

        self._forward = tf.function(forward)

    def predict(self, inputs: Inputs, num_samples: int) -> MonteCarlo:
        """Return the summary of `num_samples` predictions of each example.

        Equal arguments give equal results, and the random numbers of the model are what they were.

        Args:
            inputs: (num_examples, ...) stored values.
            num_samples: Number of samples, each with its own masks.
        """
        size = self._batch_size
        count = tf.constant(num_samples)
        with random_numbers_kept(self._model):
            seed_masks(self._model, self._seed, PURPOSE)
            parts = [
                self._forward(inputs[first : first + size], count, tf.constant(number * num_samples))
                for number, first in enumerate(range(0, len(inputs), size))
            ]
        probs, entropy = (
            np.concatenate([part.numpy() for part in column]) for column in zip(*parts, strict=True)
        )
        return MonteCarlo(probs, entropy)


@contextmanager
def _results_shared(model: keras.Model, dropping: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Compute each result that does not depend on dropout once in the graph that the body builds.

    An operation that is called again with the very tensors that it was called with returns the same
    tensors. It is no such operation if a layer of `dropping` is in it.
    """
    random = {id(layer) for layer in dropping}
    layers = [model, *(layer for _, layer in walk(model))]
    random |= {id(layer) for layer in layers if any(id(part) in random for _, part in walk(layer))}
    results: dict[tuple[int, ...], tuple[Any, Any]] = {}
    entered: list[Any] = []

    def shared(operation: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def call_once(*args: Any, **options: Any) -> Any:
            key = (id(operation), *(id(part) for part in tf.nest.flatten((args, options))))
            if key not in results:
                # Kept with its arguments, so that no other tensor gets their ids.
                results[key] = ((args, options), call(*args, **options))
            return results[key][1]

        return call if id(operation) in random else call_once

    def sharing(run: Callable[..., Any], *, is_outermost: bool) -> Callable[..., Any]:
        def run_sharing(inputs: Any, operation_fn: Callable[[Any], Any], **options: Any) -> Any:
            if is_outermost:  # a model of mixed precision converts its inputs at each call
                entered.append(inputs)
                inputs = entered[0]
            return run(inputs, operation_fn=lambda one: shared(one, operation_fn(one)), **options)

        return run_sharing

    with ExitStack() as restored:
        for layer in layers:
            if (graph := graph_of(layer)) is not None:
                run = sharing(graph._run_through_graph, is_outermost=layer is model)
                restored.enter_context(replaced(graph, "_run_through_graph", run))
        yield
