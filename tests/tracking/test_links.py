"""Addresses that open MLflow's views of training runs; that they do is seen in tests/browser."""

import json
from urllib.parse import parse_qs

from dropout_lab.tracking import links

RUNS = ["a" * 32, "b" * 32]


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(address.partition("?")[2])


def test_base_is_the_server_or_where_the_local_page_is_served():
    assert links.base_address("sqlite:////data/mlflow.db") == "http://127.0.0.1:5000"
    assert links.base_address("http://host:5001/") == "http://host:5001"
    assert links.base_address("https://user:s3cret@host/mlflow/") == "https://host/mlflow"


def test_every_address_asks_for_training_runs():
    base = "http://127.0.0.1:5000"
    run = links.run_address(base, "1", RUNS[0])
    comparison = links.comparison_address(base, ["1"], RUNS)
    curves = links.curves_address(base, "1", RUNS)
    model = links.model_address(base, "1", "m-1")
    for address in (links.experiment_address(base, "1"), run, model, comparison, curves):
        assert address.startswith(f"{base}/#/")
        assert query(address)["workflowType"] == ["machine_learning"]
        assert " " not in address
    assert f"/experiments/1/runs/{RUNS[0]}?" in run
    assert json.loads(query(comparison)["runs"][0]) == RUNS
    assert json.loads(query(comparison)["experiments"][0]) == ["1"]
    assert query(curves)["searchFilter"] == [f"attributes.run_id IN ('{RUNS[0]}','{RUNS[1]}')"]
