"""The view of an experiment that the MLflow UI opens: results by condition.

MLflow 3.17 keeps the views that its "Share" button makes as tags of the experiment, in a form that is not
documented. The browser tests open this one.
"""

import base64
import json
import time
import zlib
from collections.abc import Mapping
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment

from dropout_lab.evaluation.metrics import DEFAULT_METRICS
from dropout_lab.tracking import schema

_CURVES = ("val_accuracy", "val_loss", "accuracy", "loss")
_ENCODING = "deflate;"


def view_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag of the view, unless it is among the experiment's `tags` already."""
    state = _ENCODING + base64.b64encode(zlib.compress(json.dumps(_state()).encode())).decode()
    try:
        if json.loads(tags.get(schema.SAVED_VIEW, "{}")).get("state") == state:
            return {}
    except (ValueError, AttributeError):
        pass  # somebody edited it
    now = time.time_ns() // 1_000_000
    return {
        schema.SAVED_VIEW: json.dumps(
            {"name": schema.VIEW_NAME, "createdAt": now, "updatedAt": now, "state": state}
        )
    }


def save_view(client: MlflowClient, experiment: Experiment) -> None:
    """Save the view in an experiment that does not have it."""
    for name, value in view_tags(experiment.tags).items():
        client.set_experiment_tag(experiment.experiment_id, name, value)


def _state() -> dict[str, Any]:
    columns = [f"metrics.`{metric}`" for metric in (*DEFAULT_METRICS, "train_seconds")]
    return {
        "searchFilter": f"tags.`{schema.CONDITION}` LIKE '%'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [*columns, f"tags.`{schema.SEED}`"],
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "SHOWALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": schema.CONDITION}],
        },
        "groupsExpanded": {},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        "compareRunSections": [_section("results", "Results"), _section("curves", "Curves by epoch")],
        "compareRunCharts": [
            *(_chart("results", metric, "BAR") for metric in DEFAULT_METRICS),
            *(_chart("curves", metric, "LINE") | _line(metric) for metric in _CURVES),
        ],
    }


def _section(uuid: str, name: str) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "name": name,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
    }


def _chart(section: str, metric: str, kind: str) -> dict[str, Any]:
    return {
        "uuid": f"{section}-{metric}",
        "type": kind,
        "runsCountToCompare": 100,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "displayName": metric,
        "metricKey": metric,
    }


def _line(metric: str) -> dict[str, Any]:
    return {
        "selectedMetricKeys": [metric],
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {},
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
