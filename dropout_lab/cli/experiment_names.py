"""Names of experiments on the command line."""

from pathlib import Path


def experiment_of(reference: str) -> str:
    """Return the experiment that an argument means: its name, or the spec file that names it.

    Raises:
        SpecError: If it is the path of a YAML file that is no valid spec.
    """
    if reference.endswith((".yaml", ".yml")) and Path(reference).is_file():
        from dropout_lab.spec import load_spec

        return load_spec(Path(reference)).experiment or ""
    return reference
