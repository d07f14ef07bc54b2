"""The reference of the Python API: directives for mkdocstrings, one per public name."""

import dropout_lab


def python_reference() -> str:
    names = [name for name in dropout_lab.__all__ if not name.startswith("_")]
    # Functions first: they are what one looks for.
    names.sort(key=lambda name: (name[0].isupper(), name))
    return "\n\n".join(f"::: dropout_lab.{name}" for name in names)
