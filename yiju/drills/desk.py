"""The desk of a drill: somebody who works with the REST API while it is killed, and tries again until it is done."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any, Final, Self

from core.clock import Clock

LOGIN: Final = "desk"
PATIENCE_S: Final = 5.0  # for an answer
_AGAIN_S: Final = 0.3
_DONE: Final = frozenset({404, 409})  # another one was quicker, or it was done by a request whose answer was lost
Task = Callable[[], None]


class Unavailable(Exception):
    """The API did not do it: away, starting, or without its database."""


class Desk:
    """A thread that does one task after the other, each when it is due.

    Args:
        port: the API's, on 127.0.0.1.
        clock: the platform's.

    Attributes:
        calls: requests that were answered. refused: requests that were not, and were made again.
    """

    def __init__(self, port: int, password: str, clock: Clock) -> None:
        self.calls = self.refused = 0
        self._port = port
        self._password = password
        self._clock = clock
        self._token = ""
        self._tasks: list[tuple[datetime, Task]] = []
        self._going: set[int] = set()
        self._lock = Lock()
        self._ended = Event()
        self._thread = Thread(target=self._work, name="desk", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def absence(self, home: int, at: datetime) -> None:
        """The resident is away from now on. `at`: when it is entered."""
        self._later(at, lambda: self._plan(f"/homes/{home}/absences", {"kind": "away"}))

    def maintenance(self, home: int, at: datetime) -> None:
        """Somebody works on the home's equipment from now on."""
        self._later(at, lambda: self._plan(f"/homes/{home}/maintenance", {}))

    def home_again(self, home: int, at: datetime) -> None:
        """Every absence of the home ends."""

        def end() -> None:
            for one in self._ask("GET", f"/homes/{home}/absences") or ():
                if one["ended_at"] is None:
                    self._ask("POST", f"/absences/{one['id']}/end")

        self._later(at, end)

    def on_site(self, alert: int) -> None:
        """Somebody is there; asked again while it is on its way, it is said once."""
        with self._lock:
            if alert in self._going:
                return
            self._going.add(alert)

        def say() -> None:
            self._ask("POST", f"/alerts/{alert}/on-site")
            with self._lock:
                self._going.discard(alert)

        self._later(self._clock.now(), say)

    def _plan(self, path: str, what: Mapping[str, Any]) -> None:
        """Looks first: the answer of the last try may have been lost."""
        if not any(one["ended_at"] is None for one in self._ask("GET", path) or ()):
            until = self._clock.now() + timedelta(days=1)
            self._ask("POST", path, {**what, "until_at": until.isoformat()})

    def _later(self, at: datetime, task: Task) -> None:
        with self._lock:
            self._tasks.append((at, task))

    def _work(self) -> None:
        while not self._ended.is_set():
            now = self._clock.now()
            with self._lock:
                due = next((one for one in self._tasks if one[0] <= now), None)
            if due is None:
                self._ended.wait(0.05)
                continue
            try:
                due[1]()
            except (OSError, http.client.HTTPException, Unavailable):
                self.refused += 1
                self._ended.wait(_AGAIN_S)
                continue
            with self._lock:
                self._tasks.remove(due)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if not self._token:
            self._token = self._send("POST", "/tokens", {"login": LOGIN, "password": self._password})["token"]
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status in _DONE:
            self.calls += 1
            return None
        if not 200 <= answer.status < 300:
            raise Unavailable(f"{method} {path}: {answer.status} {said[:200]!r}")
        self.calls += 1
        return json.loads(said) if said else None


def wait_until_answering(port: int, patience_s: float) -> None:
    """Raises TimeoutError when nobody answers at the port."""
    until = time.monotonic() + patience_s
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if time.monotonic() > until:
                raise TimeoutError(f"nobody answers at port {port} after {patience_s:g} s") from None
            time.sleep(_AGAIN_S)
        finally:
            connection.close()
