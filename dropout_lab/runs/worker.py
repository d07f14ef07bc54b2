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
from collections.abc import Callable, Collection
from typing import TextIO

from dropout_lab.runs.messages import Message
from dropout_lab.runs.stopping import StopRequest, listen_for_stop
from dropout_lab.runs.worker_job import JobTrainer

POLL_SECONDS = 0.5


Start = Callable[[Callable[[Message], None], StopRequest, Collection[str]], Callable[[Message], None]]
"""Called with what sends a message, the request to stop and the names of runs to end as pruned; returns what
does a job."""


def main() -> None:
    """Train the runs that the standard input names, until it ends or a stop is requested."""
    serve(lambda send, stop, pruned: JobTrainer(send, stop, pruned).train)


def serve(start: Start, *, leaves_at_once: bool = False) -> None:
    """Do the jobs that the standard input names, until it ends or a stop is requested.

    Args:
        start: Starts what does them.
        leaves_at_once: Whether the end of the input ends the process in the middle of a job, whose lock the
            next command needs.
    """
    told, events = _take_streams()

    def send(message: Message) -> None:
        with contextlib.suppress(BrokenPipeError):  # the command is gone, and this process stops soon
            print(json.dumps(message), file=events, flush=True)

    with listen_for_stop() as stop:
        jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()
        pruned: set[str] = set()

        def listen() -> None:
            _listen(told, jobs, stop, pruned)
            if leaves_at_once:
                os._exit(0)

        threading.Thread(target=listen, daemon=True).start()
        do = start(send, stop, pruned)
        while not stop.signal_number:
            try:
                job = jobs.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            do(job)


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
