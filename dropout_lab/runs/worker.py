"""A worker process: trains the runs that its standard input names, one after the other.

A command starts it as ``python -m dropout_lab.runs.worker``; `runs.messages` has the messages.
TensorFlow reads the number of threads and the GPUs from the environment, so each worker has its own.
"""

import contextlib
import json
import os
import queue
import signal
import threading
from typing import TextIO

from dropout_lab.runs.messages import Message
from dropout_lab.runs.stopping import StopRequest, listen_for_stop
from dropout_lab.runs.worker_job import JobTrainer

POLL_SECONDS = 0.5


def main() -> None:
    """Train the runs that the standard input names, until it ends or a stop is requested."""
    told, events = _take_streams()

    def send(message: Message) -> None:
        with contextlib.suppress(BrokenPipeError):  # the command is gone, and this process stops soon
            print(json.dumps(message), file=events, flush=True)

    with listen_for_stop() as stop:
        jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()
        pruned: set[str] = set()
        threading.Thread(target=_listen, args=(told, jobs, stop, pruned), daemon=True).start()
        trainer = JobTrainer(send, stop, pruned)
        while not stop.signal_number:
            try:
                job = jobs.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            trainer.train(job)


def _take_streams() -> tuple[TextIO, TextIO]:
    """Return the standard input and output; what libraries print from here on belongs to the log."""
    told = os.fdopen(os.dup(0), encoding="utf-8")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return told, events


def _listen(told: TextIO, jobs: "queue.SimpleQueue[Message]", stop: StopRequest, pruned: set[str]) -> None:
    """Receive messages; the end of them means that the command has no more runs, or is gone."""
    for line in told:
        message = json.loads(line)
        if "stop" in message:
            stop.signal_number = message["stop"]
        elif "prune" in message:
            pruned.add(message["prune"])
        else:
            jobs.put(message)
    stop.signal_number = stop.signal_number or signal.SIGTERM


if __name__ == "__main__":
    main()
