"""dropout_lab: a command-line laboratory for dropout."""

__version__ = "0.1.0"
