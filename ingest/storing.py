"""The thread that writes: one transaction after another, and between them the heartbeat and retention.

While one batch commits the next is being decoded and waits here; a third one is not begun. So what is held in memory is
bounded, and a database that is slow or away makes the broker wait.
"""

import contextlib
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog

from core.clock import Clock
from core.errors import Reason
from ingest.database import Database
from ingest.decode import KEPT_BYTES, Decoded, Rejection
from ingest.subscriber import Subscriber
from ingest.writer import Prepared, Writer, beat, drop_old_readings, prepare
from store.pool import Connection

log = structlog.get_logger()

RETAIN_EVERY: Final = timedelta(hours=1)
BEAT_S: Final = 2.0  # of the machine's time
LOOK_S: Final = 0.2


class Storing:
    """Writes what it is given and has it acknowledged.

    Args:
        keep: how long readings are kept.
        stopping: ends it; and is set when it ends by an error, which `join` raises.
    """

    def __init__(
        self,
        database_url: str,
        clock: Clock,
        keep: timedelta,
        subscriber: Subscriber,
        stopping: threading.Event,
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._subscriber = subscriber
        self._stopping = stopping
        self._writer = Writer()
        self._database = Database(database_url, stopping, lambda _: self._writer.forget_rooms())
        self._next: queue.Queue[Prepared] = queue.Queue(1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._ended: Future[None] | None = None
        self._ready = threading.Event()
        self._beat_at = 0.0
        self._retained_at: datetime | None = None
        self.stored = 0  # readings since the start

    def start(self) -> None:
        """Returns when the database is there, or when told to stop."""
        self._ended = self._thread.submit(self._run)
        self._ready.wait()

    def put(self, prepared: Prepared) -> None:
        """Hands over a batch; waits while two are there already."""
        while not self._stopping.is_set():
            try:
                return self._next.put(prepared, timeout=LOOK_S)
            except queue.Full:
                continue
        return None

    def join(self) -> None:
        """Waits until the transaction that is under way has ended. Raises what the thread ended with."""
        self._thread.shutdown()
        if self._ended is not None:
            self._ended.result()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._stopping.set()
            self._ready.set()
            self._database.close()

    def _work(self) -> None:
        self._database.until_done(lambda connection: None)
        self._ready.set()
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Empty):
                self._store(self._next.get(timeout=LOOK_S))
            if time.monotonic() - self._beat_at >= BEAT_S:
                self._database.until_done(self._beat)
            if self._retained_at is None or self._clock.now() - self._retained_at >= RETAIN_EVERY:
                self._database.until_done(self._retain)

    def _store(self, prepared: Prepared) -> None:
        new = 0

        def work(connection: Connection) -> None:
            nonlocal new
            new = self._together_or_alone(connection, prepared)

        if self._database.until_done(work):
            self.stored += new
            self._subscriber.acknowledge(prepared.work)

    def _together_or_alone(self, connection: Connection, prepared: Prepared) -> int:
        try:
            return self._writer.store(connection, prepared, self._clock.now())
        except (psycopg.DataError, psycopg.IntegrityError):
            # The database refuses something of it. One bad message never stops the others: each goes alone.
            self._writer.forget_rooms()  # retention may have dropped a day that late data needs again
            return sum(self._alone(connection, decoded) for decoded in prepared.work)

    def _alone(self, connection: Connection, decoded: Decoded) -> int:
        try:
            return self._writer.store(connection, prepare([decoded], self._clock.now()), self._clock.now())
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            log.error("message refused by the database", error=type(error).__name__, gateway=decoded.key)
            refused = _refused(decoded, error)
        try:
            return self._writer.store(connection, prepare([refused], self._clock.now()), self._clock.now())
        except (psycopg.DataError, psycopg.IntegrityError):
            refused.gateway = None  # not even its number can be kept, so `rejected` alone has it
            return self._writer.store(connection, prepare([refused], self._clock.now()), self._clock.now())

    def _beat(self, connection: Connection) -> None:
        with connection.transaction():
            beat(
                connection,
                self._clock.now(),
                {
                    "broker": "connected" if self._subscriber.connected else "lost",
                    "waiting": self._subscriber.waiting(),
                    "stored": self.stored,
                },
            )
        self._beat_at = time.monotonic()

    def _retain(self, connection: Connection) -> None:
        now = self._clock.now()
        self._retained_at = now
        try:
            dropped = drop_old_readings(connection, now, self._keep)
        except psycopg.Error as error:  # housekeeping waits for the next time; what homes say does not wait for it
            log.warning("old readings not dropped", error=str(error).strip().splitlines()[:1])
            return
        if dropped:
            self._writer.forget_rooms()
            log.info("old readings dropped", days=dropped, kept_days=self._keep.days)


def _refused(decoded: Decoded, error: psycopg.Error) -> Decoded:
    """The message as one of which nothing is stored but its number."""
    payload = decoded.message.payload
    kept = payload if decoded.sent else payload[:KEPT_BYTES]
    rejection = Rejection(Reason.UNSTORABLE, str(error), kept, decoded.sent)
    return Decoded(decoded.message, decoded.key, decoded.gateway, decoded.numbered, (), None, rejection, decoded.sent)
