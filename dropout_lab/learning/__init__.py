"""The network, its data and its training: the only code that imports Keras or TensorFlow."""
