"""What a command tells the tasks of a cluster: a small file in the folder that they share.

That a task finds the file shows, besides, that the folder is really shared.
"""

import json
import uuid
from contextlib import suppress
from pathlib import Path

from dropout_lab.files import write_atomically
from dropout_lab.runs.messages import Message
from dropout_lab.runs.workspace import STATE_ROOT


class Orders:
    """Orders of one command.

    Args:
        path: Their file, absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content: dict[str, object] = {}
        self._pruned: list[str] = []

    @classmethod
    def create(cls) -> "Orders":
        """Create the file, without an order, in the current folder."""
        orders = cls((STATE_ROOT / f"ray-{uuid.uuid4().hex}.json").absolute())
        orders.path.parent.mkdir(parents=True, exist_ok=True)
        orders._write()
        return orders

    def tell(self, message: Message) -> None:
        """Add an order, which all tasks see: ``{"stop": 2}`` or ``{"prune": NAME}``."""
        self._pruned += [message["prune"]] if "prune" in message else []
        self._content.update({**message, "prune": self._pruned})
        self._write()

    def read(self) -> Message:
        """Return all orders. Raises FileNotFoundError if the command has ended, or the folder is another."""
        with suppress(ValueError):
            return dict(json.loads(self.path.read_bytes()))
        return {}

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        write_atomically(self.path, json.dumps(self._content).encode())
