"""The network, its data and its training: the only code that imports Keras or TensorFlow."""

import logging
import os

# oneDNN is off by default on AMD processors, where it makes a training step 1.2 to 1.5 times faster;
# TensorFlow reads all of these when it is imported, and what the user set stands.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# Each run of a spec compiles functions of its own, which TensorFlow warns of as if it were a mistake.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
