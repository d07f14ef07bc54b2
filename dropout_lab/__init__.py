"""dropout_lab: a command-line laboratory for dropout."""

__version__ = "0.2.0.dev0"
