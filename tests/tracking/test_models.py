"""The logged model: linked, written once, and loadable by MLflow and by Keras alone."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import keras
import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from dropout_lab.tracking import connect, models, schema

INPUTS = np.linspace(0, 1, 3 * 28 * 28, dtype=np.float32).reshape(3, 28, 28, 1)
FINAL = {"test_accuracy": 0.9, "test_loss": 0.3}


@pytest.fixture(scope="module")
def network() -> keras.Model:
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dropout(0.5, seed=1)]
    return keras.Sequential(
        [*layers, keras.layers.Dense(10, kernel_initializer=keras.initializers.HeNormal(1))]
    )


@pytest.fixture
def finished_run(experiment, make_start, make_epochs, tmp_path):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    tracker.log_epochs(run_id, make_epochs(3))
    (tmp_path / "result").mkdir()
    tracker.log_result(run_id, FINAL, step=3, timestamp_ms=5000, folder=tmp_path / "result")
    mlflow.set_tracking_uri(tracker.location.uri)
    yield tracker, run_id
    mlflow.set_tracking_uri(None)


def logged_models(tracker):
    return tracker.client.search_logged_models([tracker.experiment_id])


def test_model_is_logged_once_linked_and_loadable(finished_run, network):
    tracker, run_id = finished_run
    model_id = tracker.log_model(run_id, network, INPUTS, FINAL)
    assert tracker.log_model(run_id, network, INPUTS, FINAL) == model_id

    (logged,) = logged_models(tracker)
    assert logged.model_id == model_id
    assert logged.status == "READY"
    assert logged.source_run_id == run_id
    assert logged.params["training.epochs"] == "3"
    assert {metric.key: metric.value for metric in logged.metrics} == FINAL
    run = tracker.client.get_run(run_id)
    assert [(output.model_id, output.step) for output in run.outputs.model_outputs] == [(model_id, 3)]
    for name in FINAL:
        assert len(tracker.client.get_metric_history(run_id, name)) == 1

    expected = network.predict(INPUTS, verbose=0)
    uri = f"runs:/{run_id}/dropout"
    np.testing.assert_array_equal(mlflow.keras.load_model(uri).predict(INPUTS, verbose=0), expected)
    served = mlflow.pyfunc.load_model(uri)
    np.testing.assert_array_equal(served.predict(INPUTS), expected)
    np.testing.assert_array_equal(served.input_example, INPUTS)
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 28, 28, 1)
    assert served.metadata.signature.outputs.inputs[0].shape == (-1, 10)
    with pytest.raises(MlflowException, match="float64"):
        served.predict(INPUTS.astype(np.float64))
    listed = Path(mlflow.artifacts.download_artifacts(f"{uri}/requirements.txt")).read_text().split()
    assert set(models.requirements()) <= set(listed)
    assert f"keras=={keras.__version__}" in listed


def test_model_of_a_killed_call_is_completed(finished_run, network, monkeypatch):
    tracker, run_id = finished_run

    killed = Mock(side_effect=KeyboardInterrupt)  # as Ctrl-C at that moment
    for step in ("log_model_artifacts", "finalize_logged_model", "log_batch", "log_outputs"):
        with monkeypatch.context() as patch:
            patch.setattr(tracker.client, step, killed)
            with pytest.raises(KeyboardInterrupt):
                tracker.log_model(run_id, network, INPUTS, FINAL)
    tracker.log_model(run_id, network, INPUTS, FINAL)
    (logged,) = logged_models(tracker)
    assert logged.status == "READY"
    assert {metric.key for metric in logged.metrics} == set(FINAL)
    outputs = tracker.client.get_run(run_id).outputs.model_outputs
    assert [(output.model_id, output.step) for output in outputs] == [(logged.model_id, 3)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_model_has_the_name_of_its_condition_in_characters_that_mlflow_takes(
    experiment, make_start, network
):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start(condition="rate=0.5, 50% \"half\" 'a:b'"))
    tracker.log_model(run_id, network, INPUTS, ())
    (logged,) = logged_models(tracker)
    assert logged.name == "rate=0_5, 50_ _half_ _a_b_"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_model_that_version_0_1_began_is_completed(finished_run, network):
    tracker, run_id = finished_run
    begun = tracker.client.create_logged_model(
        tracker.experiment_id, name=schema.MODEL_NAME, source_run_id=run_id
    )
    assert tracker.log_model(run_id, network, INPUTS, FINAL) == begun.model_id
    (logged,) = logged_models(tracker)
    assert logged.status == "READY"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_saved_model_is_logged_as_it_is(finished_run, network, tmp_path):
    tracker, run_id = finished_run
    network.save(tmp_path / "saved.keras")
    saved = models.SavedModel(tmp_path / "saved.keras", network.input_shape, network.output_shape)
    tracker.log_model(run_id, saved, INPUTS, FINAL)
    folder = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/dropout"))
    assert (folder / "data" / "model.keras").read_bytes() == saved.file.read_bytes()
    served = mlflow.pyfunc.load_model(str(folder))
    np.testing.assert_array_equal(served.predict(INPUTS), network.predict(INPUTS, verbose=0))
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 28, 28, 1)
    assert served.metadata.signature.outputs.inputs[0].shape == (-1, 10)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_plain_keras_loads_the_model_without_this_package(finished_run, network, tmp_path):
    tracker, run_id = finished_run
    tracker.log_model(run_id, network, INPUTS, FINAL)
    file = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/dropout/data/model.keras")
    program = (
        "import sys, keras, numpy as np\n"
        "model = keras.saving.load_model(sys.argv[1], safe_mode=True)\n"
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))\n"
        "assert 'mlflow' not in sys.modules and 'dropout_lab' not in sys.modules\n"
    )
    np.save(tmp_path / "inputs.npy", INPUTS)
    files = [file, str(tmp_path / "inputs.npy"), str(tmp_path / "outputs.npy")]
    # Isolated and elsewhere, so that the checkout is not on its path.
    subprocess.run([sys.executable, "-I", "-c", program, *files], check=True, cwd="/", capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), network.predict(INPUTS, verbose=0))
