"""A server that goes away: training is not held up, and afterwards nothing is missing and nothing twice."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from dropout_lab.errors import TrackingError, TrackingUnavailable
from dropout_lab.records import RunStart, RunStatus
from dropout_lab.tracking import EpochDelivery, Tracker, connect, models, read_runs


class Wire:
    """Passes connections on to the server, until it is cut."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.is_cut = False
        self.lose_nth_answer = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One request a connection, which is closed after its answer, or without one."""
        with client, suppress(OSError):
            if not self.is_cut:
                self._answer(client)
            client.shutdown(socket.SHUT_RDWR)  # closing alone would wait for the thread that reads

    def _answer(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.server_port)) as server:
            threading.Thread(target=self._pump, args=[client, server], daemon=True).start()
            answer = server.recv(65536)  # by then the server has done what was asked
            self.lose_nth_answer -= 1
            if self.lose_nth_answer == 0:
                return
            while answer:
                client.sendall(answer)
                answer = server.recv(65536)

    @staticmethod
    def _pump(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data.replace(b"Connection: keep-alive", b"Connection: close"))


@pytest.fixture
def wire(server, monkeypatch, tmp_path) -> Iterator[Wire]:
    monkeypatch.chdir(tmp_path)
    made = Wire(server.port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", made.uri)
    yield made
    made.listener.close()


def history(tracker: Tracker, run_id: str, metric: str) -> list[int]:
    return [found.step for found in tracker.client.get_metric_history(run_id, metric)]


def test_twenty_outages_leave_nothing_missing_and_nothing_twice(wire, make_start, make_epochs):
    tracker = connect("outages")
    run_id = tracker.start_run(make_start())
    told: list[str] = []
    now = 0.0
    delivery = EpochDelivery(tracker, run_id, told.append, clock=lambda: now)
    epochs = make_epochs(40)
    for epoch in range(1, 41):
        wire.is_cut = epoch % 2 == 1
        assert delivery.offer(epochs[:epoch]) is not wire.is_cut
        now += 1000
    assert history(tracker, run_id, "loss") == history(tracker, run_id, "val_accuracy") == list(range(1, 41))
    assert ["does not answer" in line for line in told] == [True, False] * 20


def test_a_server_that_is_away_is_asked_ever_less_often_and_told_once(wire, make_start, make_epochs):
    tracker = connect("away")
    run_id = tracker.start_run(make_start())
    told: list[str] = []
    now, asked = 0.0, 0
    delivery = EpochDelivery(tracker, run_id, told.append, clock=lambda: now)
    log_epochs = tracker.log_epochs

    def counted(*args) -> None:
        nonlocal asked
        asked += 1
        log_epochs(*args)

    tracker.log_epochs = counted
    wire.is_cut = True
    for _ in range(1000):
        assert not delivery.offer(make_epochs(1))
        now += 1.0
    assert asked == 1 + 6 + (1000 - 5 * (2**6 - 1)) // 300  # pauses of 5, 10, ... 160, then 300 s
    assert len(told) == 1
    assert delivery.is_away
    wire.is_cut = False
    now += 300
    assert delivery.offer(make_epochs(2))
    assert not delivery.is_away
    assert told[1:] == ["The tracking store answers again; all 2 epochs so far are logged."]


def small(start: RunStart) -> RunStart:
    """Spare time where what is known at the start does not matter."""
    return replace(start, spec={"training.epochs": "3"}, texts={})


def lose_each_answer(wire: Wire, prepare, call) -> list[str]:
    """Call for a run of its own with the first answer lost, then with the second, and so on to the last."""
    prepared = []
    for nth in range(1, 100):
        prepared.append(prepare())
        wire.lose_nth_answer = nth
        call(prepared[-1])
        if wire.lose_nth_answer > 0:
            wire.lose_nth_answer = 0
            assert len(prepared) > 2
            return prepared
    raise AssertionError("no call came through without a loss")


def test_a_run_is_started_once_whichever_answer_is_lost(wire, make_start):
    tracker = connect("lost at the start")
    ids = lose_each_answer(
        wire, lambda: uuid.uuid4().hex, lambda one: tracker.start_run(make_start(), start_id=one)
    )
    runs = read_runs("lost at the start")
    assert len(runs) == len(ids)
    assert all(run.spec == make_start().spec for run in runs)
    assert all(len(tracker.client.get_run(run.run_id).inputs.dataset_inputs) == 2 for run in runs)


def test_metrics_are_recorded_once_whichever_answer_is_lost(wire, make_start, make_epochs, tmp_path):
    tracker = connect("lost metrics")
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "evaluation.json").write_text("{}")

    def log(run_id: str) -> None:
        tracker.log_epochs(run_id, make_epochs(3))
        figures = {"test_accuracy": 0.9}
        tracker.log_result(run_id, figures, step=3, timestamp_ms=5000, folder=tmp_path / "result")
        tracker.end_run(run_id, RunStatus.FINISHED)

    run_ids = lose_each_answer(wire, lambda: tracker.start_run(small(make_start())), log)
    runs = read_runs("lost metrics", statuses=[RunStatus.FINISHED])
    assert sorted(run.run_id for run in runs) == sorted(run_ids)
    for run_id in run_ids:
        assert history(tracker, run_id, "loss") == [1, 2, 3]
        assert history(tracker, run_id, "test_accuracy") == [3]


def test_a_model_is_logged_once_whichever_answer_is_lost(wire, make_start, tmp_path, monkeypatch):
    # Sending files again replaces them; tests/tracking/test_models.py does that, for real and slowly.
    monkeypatch.setattr(models, "_upload", lambda *_: None)
    tracker = connect("lost models")
    figures = {"test_accuracy": 0.9}
    (tmp_path / "result").mkdir()

    def prepare() -> str:
        run_id = tracker.start_run(small(make_start()))
        tracker.log_result(run_id, figures, step=3, timestamp_ms=5000, folder=tmp_path / "result")
        return run_id

    run_ids = lose_each_answer(
        wire, prepare, lambda run_id: tracker.log_model(run_id, None, np.zeros(()), figures)
    )
    logged = tracker.client.search_logged_models([tracker.experiment_id])
    assert sorted(one.source_run_id for one in logged) == sorted(run_ids)
    for one in logged:
        assert one.status == "READY"
        outputs = tracker.client.get_run(one.source_run_id).outputs.model_outputs
        assert [(output.model_id, output.step) for output in outputs] == [(one.model_id, 3)]
        assert history(tracker, one.source_run_id, "test_accuracy") == [3]


def test_a_refusal_is_not_taken_for_an_outage(wire, make_epochs):
    assert wire.uri
    delivery = EpochDelivery(connect("refused"), "0" * 32, pytest.fail)
    with pytest.raises(TrackingError, match=r"0{32}"):
        delivery.offer(make_epochs(1))
    assert not delivery.is_away


@pytest.mark.slow
def test_a_killed_server_that_comes_back_gets_all(server, monkeypatch, tmp_path, make_start, make_epochs):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    tracker = connect("killed")
    run_id = tracker.start_run(make_start())
    epochs = make_epochs(3)
    tracker.log_epochs(run_id, epochs[:1])
    server.kill()
    try:
        with tracker.system_metrics(run_id):
            for call in (
                lambda: tracker.log_epochs(run_id, epochs[:2]),
                lambda: tracker.log_result(run_id, {"a": 1.0}, step=1, timestamp_ms=1, folder=tmp_path),
                lambda: tracker.end_run(run_id, RunStatus.FINISHED),
                lambda: connect("killed"),
            ):
                with pytest.raises(TrackingUnavailable):
                    call()
    finally:
        server.start()
    tracker.log_epochs(run_id, epochs)
    tracker.end_run(run_id, RunStatus.FINISHED)
    assert history(tracker, run_id, "loss") == [1, 2, 3]
    assert read_runs("killed")[0].status is RunStatus.FINISHED
