"""The settings of a run, as it logged them."""

from typing import Any, cast

import yaml
from pydantic import ValidationError

from dropout_lab.errors import UsageError
from dropout_lab.records import RunRecord
from dropout_lab.spec import Settings
from dropout_lab.tracking import schema
from dropout_lab.tracking.reports import load_text


def read_settings(run: RunRecord) -> Settings:
    """Return the settings of a run, from its logged spec.

    Raises:
        TrackingError: If it logged none, or they cannot be read.
        UsageError: If they are those of another version of dropout_lab.
    """
    text = load_text(run, schema.RESOLVED_SPEC)
    try:
        content = cast(dict[str, Any], yaml.safe_load(text))
        return Settings.model_validate(
            {key: value for key, value in content.items() if key not in ("condition", "seed")}
        )
    except (yaml.YAMLError, AttributeError, ValidationError):
        raise UsageError(
            f"{schema.RESOLVED_SPEC} of {run.run_name} cannot be read by this version of dropout_lab"
        ) from None
