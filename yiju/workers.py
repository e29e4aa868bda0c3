"""`yiju ingest --workers N`, `yiju alerts --workers N`: several workers on one machine, each a process, started again
when it ends.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Final

from yiju.embedded.child import how_it_ended, start_child, stop_child
from yiju.supervisor import Supervisor

LOOK_S: Final = 0.2
ALONE: Final[Mapping[str, Mapping[str, str]]] = {"ingest": {"YIJU_INGEST_SHARED": "true"}, "alerts": {}}


class WorkerPart:
    """One worker: `python -m yiju SERVICE` with a name of its own; who comes back takes up what it had."""

    def __init__(self, service: str, name: str) -> None:
        self.name = f"{service} worker {name}"
        self.process: subprocess.Popen[bytes] | None = None
        self._service = service
        self._environment = {**os.environ, _setting(service): name, **ALONE[service]}

    def start(self) -> None:
        self.process = start_child([sys.executable, "-m", "yiju", self._service], environment=self._environment)

    def ended(self) -> str | None:
        return "no start" if self.process is None else how_it_ended(self.process)

    def stop(self, patience_s: float) -> None:
        if self.process is not None:
            stop_child(self.process, patience_s=patience_s)


def run_workers(service: str, count: int, tell: Callable[[str], None], host: str = "") -> None:
    """Runs that many workers until SIGTERM or SIGINT.

    Args:
        host: their names begin with it where YIJU_INGEST_WORKER or YIJU_ALERTS_WORKER is not set.
    """
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    supervisor = Supervisor(tell)
    first = os.environ.get(_setting(service), "") or host
    try:
        for number in range(1, count + 1):
            supervisor.start(WorkerPart(service, f"{first}-{number}" if first else str(number)))
        while not stop.wait(LOOK_S):
            supervisor.look()
    finally:
        supervisor.stop()


def _setting(service: str) -> str:
    return f"YIJU_{service.upper()}_WORKER"
