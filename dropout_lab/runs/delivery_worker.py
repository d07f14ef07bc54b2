"""A worker process that trains nothing: it uploads the results of the workspaces that its input names.

`runs.deliveries` starts it as ``python -m dropout_lab.runs.delivery_worker``.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dropout_lab.libraries import set_variables
from dropout_lab.runs.jobs import work
from dropout_lab.runs.messages import Message, SendingReporter
from dropout_lab.runs.outcome import RunOutcome
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.worker import serve
from dropout_lab.runs.workspace import Workspace


class JobDeliverer:
    """Uploads one result after the other; MLflow starts when this is made.

    Args:
        send: Sends one message.
        stop: No result is begun once it holds a signal.
    """

    def __init__(self, send: Callable[[Message], None], stop: StopRequest) -> None:
        set_variables()
        from dropout_lab.runs.continuing import known_state
        from dropout_lab.runs.delivering import deliver
        from dropout_lab.tracking import connect

        self._known_state, self._deliver, self._connect = known_state, deliver, connect
        self._reporter = SendingReporter(send)
        self._stop = stop

    def do(self, job: Message) -> None:
        """Upload the result in the workspace of a message ``{"folder": PATH}``, and send how that ends."""
        workspace = Workspace(Path(job["folder"]))
        work([(workspace.name, partial(self._from, workspace))], self._reporter, self._stop)

    def _from(self, workspace: Workspace) -> RunOutcome:
        with workspace.locked():
            state = self._known_state(workspace)
            tracker = self._connect(state.run.origin.experiment)
            return self._deliver(tracker, self._reporter, workspace, state)


if __name__ == "__main__":
    serve(lambda send, stop, _: JobDeliverer(send, stop).do, leaves_at_once=True)
