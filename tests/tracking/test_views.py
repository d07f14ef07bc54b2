"""The saved view of an experiment, and descriptions, as the MLflow UI reads them."""

import base64
import json
import zlib

import pytest

from dropout_lab.tracking import connect, find_run, links, schema
from dropout_lab.tracking.experiments import describe
from dropout_lab.tracking.reader import find_view
from dropout_lab.tracking.views import view_tags


def test_the_view_groups_runs_by_condition() -> None:
    saved = json.loads(view_tags({})[schema.SAVED_VIEW])
    assert saved["name"] == "Results by condition"
    encoding, _, packed = saved["state"].partition(";")
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert encoding == "deflate"
    assert state["groupBy"]["groupByKeys"] == [{"mode": "tag", "groupByData": "dropout_lab.condition"}]
    assert "metrics.`test_accuracy`" in state["selectedColumns"]
    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == sections
    assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == len(state["compareRunCharts"])


@pytest.mark.parametrize("edited", ["", "[]", "{}", "not JSON"])
def test_the_view_is_written_once_and_again_if_it_was_changed(edited: str) -> None:
    saved = view_tags({})
    assert view_tags(saved) == {}
    assert view_tags({schema.SAVED_VIEW: edited}).keys() == saved.keys()


@pytest.mark.usefixtures("sqlite_store")
def test_an_experiment_of_an_earlier_version_gets_the_view(make_start) -> None:
    assert find_view("http://host") == "http://host"  # no runs yet
    tracker = connect("study")
    tracker.start_run(make_start())
    client, number = tracker.client, tracker.experiment_id
    assert schema.SAVED_VIEW in client.get_experiment(number).tags
    client.delete_experiment_tag(number, schema.SAVED_VIEW)
    assert find_view("http://host") == links.view_address("http://host", number)
    assert schema.SAVED_VIEW in client.get_experiment(number).tags
    client.delete_experiment_tag(number, schema.SAVED_VIEW)
    connect("study")
    assert schema.SAVED_VIEW in client.get_experiment(number).tags


@pytest.mark.usefixtures("sqlite_store")
def test_an_experiment_is_described_by_its_first_question_its_view_and_its_latest_verdicts() -> None:
    tracker = connect("study")

    def description() -> str:
        return tracker.client.get_experiment(tracker.experiment_id).tags[schema.DESCRIPTION]

    link = f"#/experiments/{tracker.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey="
    for text in ("Does dropout help?", "Another spec."):
        tracker.describe(text)
        assert description() == f"Does dropout help? [Results by condition]({link}{schema.VIEW_KEY})"
    for word in ("undecided", "better"):
        describe(tracker.client, tracker.experiment_id, verdicts=[f"dropout vs baseline: {word}."])
        tracker.describe("Another spec.")
        question, verdicts = description().split("\n\n---\n")
        assert question.startswith("Does dropout help? [Results")
        assert verdicts == f"Latest verdicts\n\n- dropout vs baseline: {word}."
    describe(tracker.client, tracker.experiment_id, verdicts=())  # its runs were deleted
    assert "verdicts" not in description()
    tracker.client.set_experiment_tag(tracker.experiment_id, schema.DESCRIPTION, "Mine.")
    tracker.describe("Another spec.")
    assert description().startswith("Mine. [Results by condition]")


@pytest.mark.usefixtures("sqlite_store")
def test_a_finished_run_is_described_by_its_results(make_start, tmp_path) -> None:
    tracker = connect("study")
    run_id = tracker.start_run(make_start("dropout", 3))
    folder = tmp_path / "result"
    folder.mkdir()
    for _ in range(2):
        metrics = {"test_accuracy": 0.9178, "generalization_gap": 0.027, "train_ece": 0.1}
        tracker.log_result(run_id, metrics, step=0, timestamp_ms=1, folder=folder)
    note = tracker.client.get_run(run_id).data.tags[schema.DESCRIPTION]
    assert note.startswith("The published network.\n\n---\n**dropout**, seed 3: test accuracy 91.78%, gen")
    assert "generalization gap 2.70 points." in note
    assert note.count("**dropout**") == 1
    assert find_run(run_id).description == "The published network."
