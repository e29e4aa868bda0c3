"""The threads that write: while one waits for its commit to reach the disk, the other one fills its transaction.

A third batch is not begun before one of the two has ended, so what is held in memory is bounded, and a database that is
slow or away makes the broker wait. Two transactions may end in any order, as everything derived from readings is
commutative; what a gateway says of its own state is not, so statuses are written in the order in which they came.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog

from core.clock import Clock
from core.errors import Reason
from core.wire import to_ms
from ingest.database import Database
from ingest.decode import KEPT_BYTES, Decoded, Rejection
from ingest.subscriber import Subscriber
from ingest.writer import Prepared, Writer, beat, drop_old_readings, prepare
from store.pool import Connection

log = structlog.get_logger()

AT_ONCE: Final = 2  # transactions
RETAIN_EVERY: Final = timedelta(hours=1)
BEAT_S: Final = 2.0  # of the machine's time
LOOK_S: Final = 0.2


@dataclass(frozen=True)
class _Batch:
    number: int  # 1, 2, 3 ... in the order in which they came
    prepared: Prepared


class Storing:
    """Writes what it is given and has it acknowledged.

    Args:
        keep: how long readings are kept.
        stopping: ends it; and is set when a thread ends by an error, which `join` raises.
    """

    def __init__(
        self,
        database_url: str,
        clock: Clock,
        keep: timedelta,
        subscriber: Subscriber,
        stopping: threading.Event,
    ) -> None:
        self._url = database_url
        self._clock = clock
        self._keep = keep
        self._subscriber = subscriber
        self._stopping = stopping
        self._next: queue.Queue[_Batch] = queue.Queue(1)
        self._given = 0
        self._turn = threading.Condition()
        self._done: set[int] = set()  # numbers of batches that have ended, above `_all_done`
        self._all_done = 0  # and every one up to this
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="storing")
        self._ended: list[Future[None]] = []
        self._ready = threading.Event()
        self._beat_at = 0.0
        self._retained_at: datetime | None = None
        self.stored = 0  # readings since the start

    def start(self) -> None:
        """Returns when the database is there, or when told to stop."""
        self._ended = [self._threads.submit(self._run, number == 0) for number in range(AT_ONCE)]
        self._ready.wait()

    def put(self, prepared: Prepared) -> None:
        """Hands over a batch; waits while one is waiting already."""
        self._given += 1
        while not self._stopping.is_set():
            try:
                return self._next.put(_Batch(self._given, prepared), timeout=LOOK_S)
            except queue.Full:
                continue
        return None

    def join(self) -> None:
        """Waits until the transactions that are under way have ended. Raises what a thread ended with."""
        self._threads.shutdown()
        for ended in self._ended:
            ended.result()

    def _run(self, first: bool) -> None:
        writer = Writer()
        database = Database(self._url, self._stopping, lambda _: writer.forget_rooms())
        try:
            database.until_done(lambda connection: None)
            self._ready.set()
            while not self._stopping.is_set():
                with contextlib.suppress(queue.Empty):
                    self._store(database, writer, self._next.get(timeout=LOOK_S))
                if first:
                    self._keep_house(database)
        finally:
            self._stopping.set()
            self._ready.set()
            with self._turn:
                self._turn.notify_all()  # of a thread that ended by an error the turn never ends
            database.close()

    def _store(self, database: Database, writer: Writer, batch: _Batch) -> None:
        work = batch.prepared.work
        new = 0

        def store(connection: Connection) -> None:
            nonlocal new
            new = self._together_or_alone(connection, writer, batch.prepared)

        done = database.until_done(store)
        if done and batch.prepared.statuses:
            self._await_turn(batch.number)
            done = database.until_done(lambda connection: self._put_statuses(connection, writer, work))
        self._end_turn(batch.number, new)
        if done:
            self._subscriber.acknowledge(work, to_ms(self._clock.now()))

    def _await_turn(self, number: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._all_done == number - 1 or self._stopping.is_set())

    def _end_turn(self, number: int, new: int) -> None:
        with self._turn:
            self.stored += new
            self._done.add(number)
            while self._all_done + 1 in self._done:
                self._all_done += 1
                self._done.remove(self._all_done)
            self._turn.notify_all()

    def _together_or_alone(self, connection: Connection, writer: Writer, prepared: Prepared) -> int:
        try:
            return writer.store(connection, prepared, self._clock.now())
        except (psycopg.DataError, psycopg.IntegrityError):
            # The database refuses something of it. One bad message never stops the others: each goes alone.
            writer.forget_rooms()  # retention may have dropped a day that late data needs again
            return sum(self._alone(connection, writer, decoded) for decoded in prepared.work)

    def _alone(self, connection: Connection, writer: Writer, decoded: Decoded) -> int:
        now = self._clock.now()
        try:
            return writer.store(connection, prepare([decoded], now), now)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            log.error("message refused by the database", error=type(error).__name__, gateway=decoded.key)
            refused = _refused(decoded, error)
        try:
            return writer.store(connection, prepare([refused], now), now)
        except (psycopg.DataError, psycopg.IntegrityError):
            refused.gateway = None  # not even its number can be kept, so `rejected` alone has it
            return writer.store(connection, prepare([refused], now), now)

    def _put_statuses(self, connection: Connection, writer: Writer, work: Sequence[Decoded]) -> None:
        try:
            writer.put_statuses(connection, work, self._clock.now())
        except (psycopg.DataError, psycopg.IntegrityError):
            for decoded in work:
                if decoded.status is not None:
                    self._put_status(connection, writer, decoded)

    def _put_status(self, connection: Connection, writer: Writer, decoded: Decoded) -> None:
        now = self._clock.now()
        try:
            writer.put_statuses(connection, [decoded], now)
        except (psycopg.DataError, psycopg.IntegrityError) as error:  # such as of a gateway that was just erased
            log.error("status refused by the database", error=type(error).__name__, gateway=decoded.key)
            writer.store(connection, prepare([_refused(decoded, error)], now), now)

    def _keep_house(self, database: Database) -> None:
        if time.monotonic() - self._beat_at >= BEAT_S:
            database.until_done(self._beat)
        if self._retained_at is None or self._clock.now() - self._retained_at >= RETAIN_EVERY:
            database.until_done(self._retain)

    def _beat(self, connection: Connection) -> None:
        broker = "connected" if self._subscriber.connected else "lost"
        details = {"broker": broker, "waiting": self._subscriber.waiting(), "stored": self.stored}
        with connection.transaction():
            beat(connection, self._clock.now(), details)
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
            log.info("old readings dropped", days=dropped, kept_days=self._keep.days)


def _refused(decoded: Decoded, error: psycopg.Error) -> Decoded:
    """The message as one of which nothing is stored but its number, where it has one."""
    payload = decoded.message.payload
    kept = payload if decoded.sent else payload[:KEPT_BYTES]
    rejection = Rejection(Reason.UNSTORABLE, str(error), kept, decoded.sent)
    return replace(decoded, readings=(), status=None, rejection=rejection)
