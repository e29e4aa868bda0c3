"""The thread that takes due alerts up the ladder, twice a second, on a connection of its own.

A rung that is due waits neither for a look at all homes nor for a free connection, and when the database comes back
the next try is a moment away: the pool's own tries grow apart.
"""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import perf_counter
from typing import Final

from alerts import ladder
from alerts.lifecycle import expire_acknowledgements
from core.clock import Clock
from store.pool import Connection, DatabaseRole, connect

CLIMB_S: Final = 0.5  # how late the next rung may be told
AGAIN_S: Final = 0.25  # after the loss of the database


class Climber:
    """Climbs from `start` to `stop`.

    Args:
        channels: the platform's own.
        climbed: called when there may be something to send.
        failed: called with what failed and why.

    Attributes:
        broke_at: when an alert could last not be taken further, on time.perf_counter().
    """

    def __init__(
        self, database_url: str, clock: Clock, channels: Sequence[str], climbed: Callable[[], None],
        failed: Callable[[str, Exception], None],
    ) -> None:  # fmt: skip
        self._database_url = database_url
        self._clock = clock
        self._channels = channels
        self._climbed = climbed
        self._failed = failed
        self.broke_at: float | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="climber", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect(self._database_url, DatabaseRole.ALERTS, autocommit=True) as connection:
                    self._climb(connection)
                    while not self._stopping.wait(CLIMB_S):
                        self._climb(connection)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: without it no rung is told any more
                self._failed("climb", error)
                self._stopping.wait(AGAIN_S)

    def _climb(self, connection: Connection) -> None:
        """A due alert is climbed by whichever worker comes first."""
        now = self._clock.now()
        with connection.transaction():
            expired = expire_acknowledgements(connection, now)
            climbed = ladder.escalate(connection, now, {}, self._channels)
        if climbed.broken:
            self.broke_at = perf_counter()
        if climbed.due or expired:
            self._climbed()
