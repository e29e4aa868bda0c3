"""The people of a drill: a notification service that fails, hangs and recovers, and what really reached whom.

They take signed webhooks: a message says in figures which alerts it is about, a bundle too.
"""

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Final, Self

_HANG_S: Final = 30.0  # longer than a sender waits


class Mood(StrEnum):
    """How the service is."""

    WELL = "well"
    FAILING = "failing"  # 503 at once
    HANGING = "hanging"  # takes the request and never answers


@dataclass(frozen=True)
class Receipt:
    """A message about an alert that a person got.

    Attributes:
        purpose: `alert`, `emergency` ...: one of each is due.
        at: on time.monotonic(), when the service had taken it.
    """

    person: str
    alert: int
    purpose: str
    at: float


class People:
    """The service on 127.0.0.1, on threads of its own.

    Attributes:
        mood: how it is; may be set at any time.
        receipts: what was answered with 200, in the order in which it came.
        refused: requests that it failed or hung on: nobody got these.
    """

    def __init__(self) -> None:
        self.mood = Mood.WELL
        self.receipts: list[Receipt] = []
        self.refused = 0
        self._lock = Lock()
        self._ended = Event()
        people = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if people.take(self.path.strip("/").partition("?")[0], body):
                    self.send_response(200)
                    self.end_headers()
                elif people.mood is Mood.FAILING:
                    self.send_response(503)
                    self.end_headers()
                # else nothing is answered: the connection just ends

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A sender that was killed or lost patience is what this drill is about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def channel(self, person: str) -> str:
        """The person's address, a signed webhook's."""
        return f"webhook+http://:drill@127.0.0.1:{self._server.server_port}/{person}"

    def take(self, person: str, body: bytes) -> bool:
        """Whether the person gets it."""
        if self.mood is Mood.HANGING:
            until = time.monotonic() + _HANG_S
            while self.mood is Mood.HANGING and time.monotonic() < until and not self._ended.wait(0.05):
                pass
            with self._lock:
                self.refused += 1
            return False
        if self.mood is Mood.FAILING:
            with self._lock:
                self.refused += 1
            return False
        said = json.loads(body)
        alerts = said["alerts"] if "alerts" in said else [said["alert"]]
        purpose = said.get("purpose", "alert")  # of a bundle: it is one of those that call
        with self._lock:
            self.receipts += [Receipt(person, alert, purpose, time.monotonic()) for alert in alerts]
        return True
