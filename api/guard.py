"""The api's eye on the platform: it sees when alerts or ingest fall silent, and its own heart beats for the others."""

from threading import Event, Thread
from time import monotonic, time

import structlog

from alerts.notify.dispatch import Dispatch
from alerts.watcher.guard import LOOK_S, Guard
from alerts.watcher.operator import Operator
from alerts.watcher.signs import Limits
from api.house import House


class ApiGuard:
    """Looks in a thread for as long as the `with` block lasts."""

    def __init__(self, house: House) -> None:
        settings = house.settings
        send = Dispatch(settings.public_url, time)
        words = house.words[settings.operator_locale]
        operator = Operator(settings.operator_channels.split(), words, settings.zone, send)
        limits = Limits(nothing_stored_s=settings.nothing_stored_s)
        self._guard = Guard("api", house.pool, house.clock, operator, limits, monotonic)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="guard", daemon=True)

    def __enter__(self) -> "ApiGuard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._guard.look()
            except Exception as error:  # noqa: BLE001 - the edge of a thread: without it nobody watches alerts
                structlog.get_logger().error("guard_failed", error=type(error).__name__)
            self._stopping.wait(LOOK_S)
