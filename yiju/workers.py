"""`yiju ingest --workers N`: several workers on one machine, each a process, started again when it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

from yiju.embedded.child import how_it_ended, start_child, stop_child
from yiju.supervisor import Supervisor

LOOK_S: Final = 0.2


class WorkerPart:
    """One worker: `python -m yiju ingest` with a name of its own; a worker that comes back takes up its old queue."""

    def __init__(self, name: str) -> None:
        self.name = f"ingest worker {name}"
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {**os.environ, "YIJU_INGEST_WORKER": name, "YIJU_INGEST_SHARED": "true"}

    def start(self) -> None:
        self.process = start_child([sys.executable, "-m", "yiju", "ingest"], environment=self._environment)

    def ended(self) -> str | None:
        return "no start" if self.process is None else how_it_ended(self.process)

    def stop(self, patience_s: float) -> None:
        if self.process is not None:
            stop_child(self.process, patience_s=patience_s)


def run_workers(count: int, tell: Callable[[str], None]) -> None:
    """Runs that many workers until SIGTERM or SIGINT. Their names begin with YIJU_INGEST_WORKER."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    supervisor = Supervisor(tell)
    first = os.environ.get("YIJU_INGEST_WORKER", "")
    try:
        for number in range(1, count + 1):
            supervisor.start(WorkerPart(f"{first}-{number}" if first else str(number)))
        while not stop.wait(LOOK_S):
            supervisor.look()
    finally:
        supervisor.stop()
