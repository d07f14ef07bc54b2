"""A worker process as the command sees it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping

from dropout_lab.runs.failures import TO_RESUME
from dropout_lab.runs.messages import Message
from dropout_lab.runs.outcome import Failure

STOP_SECONDS = 20.0
"""Time that a worker without a run has to end by itself."""


class WorkerProcess:
    """One worker process.

    It is never forked: a fork of a process that has started TensorFlow hangs.

    Args:
        module: The module that it runs.
        environment: Its environment variables.
        threads: Number of threads that it computes with.
        receive: Called in another thread with each message, and with None when the process has ended.

    Attributes:
        is_ready: Whether it has started TensorFlow.
    """

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str],
        threads: int,
        receive: Callable[["WorkerProcess", Message | None], None],
    ) -> None:
        self.threads = threads
        self.is_ready = False
        self._receive = receive
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        # The worker imports what this process would; -P, since the current folder is no part of that.
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env={**environment, "PYTHONPATH": path},
            # Ctrl-C reaches the command alone, which asks the workers to stop: once, and in order.
            process_group=0 if os.name == "posix" else None,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, message: Message) -> None:
        """Send a message; a process that has ended does not receive it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            print(json.dumps(message), file=self._process.stdin, flush=True)

    def dismiss(self) -> None:
        """Let the process end by itself: there are no more runs for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        """End the process, which has no run, and wait until it has ended."""
        self.dismiss()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def failure(self, name: str) -> Failure:
        """Return the failure of the run `name`, during which the process ended by itself."""
        code = self._process.wait()
        self._log.seek(0)
        lines = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        last = f": {lines[-1].strip()}" if lines else ""
        hint = TO_RESUME
        if code == -signal.SIGKILL:
            message = "its worker process was killed, as the system does when memory runs out"
            hint += " If memory ran out, use fewer workers."
        elif code < 0:
            message = f"its worker process was ended by {_signal_name(-code)}{last}"
        else:
            message = f"its worker process ended with exit status {code}{last}"
        # A worker that does not even start would not start for another run either.
        return Failure(name, message, hint, stops_others=code >= 0 and not self.is_ready)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._receive(self, json.loads(line))
        self._receive(self, None)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
