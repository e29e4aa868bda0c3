"""The ingest service: take -> decode -> store -> acknowledge, for ever; it waits for a database that is away."""

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
import psycopg
import structlog

from core.clock import Clock
from core.errors import Reason
from core.wire import to_ms
from ingest.decode import KEPT_BYTES, Decoded, Message, Rejection, decode
from ingest.directory import Directory
from ingest.downlink import Downlink
from ingest.subscriber import Subscriber
from ingest.writer import Writer, beat, drop_old_readings
from store.pool import Connection, DatabaseRole, connect

log = structlog.get_logger()

MOST_MESSAGES: Final = 500  # in one transaction
RETAIN_EVERY: Final = timedelta(hours=1)
BEAT_S: Final = 2.0  # of the machine's time
LONGEST_WAIT_S: Final = 10.0


class Settings(msgspec.Struct, frozen=True):
    """What ingest needs to know."""

    database_url: Annotated[str, msgspec.Meta(description="PostgreSQL, as postgresql://user:password@host:port/name")]
    broker_url: Annotated[str, msgspec.Meta(description="The platform's broker, as mqtt://user:password@host:port")]
    keep_readings_days: Annotated[
        int, msgspec.Meta(description="Readings older than this are dropped, whole days at a time; rollups stay", ge=1)
    ] = 180
    ingest_worker: Annotated[
        str, msgspec.Meta(description="Name of this worker at the broker; one per running worker")
    ] = "1"


class Ingest:
    """One worker.

    Args:
        settings: see `Settings`.
        clock: gives the platform's present.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._subscriber = Subscriber(settings.broker_url, f"yiju-ingest-{settings.ingest_worker}")
        self._downlink = Downlink(
            settings.database_url, settings.broker_url, f"yiju-ingest-{settings.ingest_worker}-downlink", clock
        )
        self._directory = Directory()
        self._writer = Writer()
        self._connection: Connection | None = None
        self._beat_at = 0.0
        self._retained_at: datetime | None = None
        self.stopping = threading.Event()
        self.stored = 0  # readings since the start

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the subscription."""
        return self._subscriber.connected

    def run(self) -> None:
        """Works until `stopping` is set. What is not committed by then is not acknowledged."""
        self._until_done(lambda connection: None)  # nothing is taken before the database is there
        self._subscriber.start()
        self._downlink.start()
        log.info("ingest started")
        try:
            while not self.stopping.is_set():
                messages = self._subscriber.take(MOST_MESSAGES, wait_s=0.2)
                if messages:
                    self._handle(messages)
                if time.monotonic() - self._beat_at >= BEAT_S:
                    self._until_done(self._beat)
                if self._retained_at is None or self._clock.now() - self._retained_at >= RETAIN_EVERY:
                    self._until_done(self._retain)
        finally:
            self._downlink.stop()
            self._subscriber.stop()
            if self._connection is not None:
                self._connection.close()
        log.info("ingest stopped", stored=self.stored)

    def _handle(self, messages: list[Message]) -> None:
        work: list[Decoded] = []

        def store(connection: Connection) -> None:
            nonlocal work
            work = self._decode(connection, messages)
            self.stored += self._store(connection, work)

        if self._until_done(store):
            self._subscriber.acknowledge(work, to_ms(self._clock.now()))

    def _decode(self, connection: Connection, messages: list[Message]) -> list[Decoded]:
        now = self._clock.now()
        self._directory.refresh(connection)
        work = [decode(message, self._directory.gateway, to_ms(now)) for message in messages]
        if not any(decoded.unknown for decoded in work):
            return work
        connection.execute("SELECT")  # brings what the database has to tell: perhaps it was registered just now
        if self._directory.refresh(connection):
            work = [decode(message, self._directory.gateway, to_ms(now)) for message in messages]
        return work

    def _store(self, connection: Connection, work: list[Decoded], *, last_try: bool = False) -> int:
        now = self._clock.now()
        try:
            return self._writer.store(connection, work, now)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # The database refuses something of it. One bad message never stops the others: each goes alone.
            if not last_try:
                self._writer.forget_rooms()  # retention may have dropped a day that late data needs again
                return sum(self._store(connection, [decoded], last_try=True) for decoded in work)
            log.error("message refused by the database", error=type(error).__name__, gateway=work[0].key)
            self._refuse(work[0], error)
            try:
                return self._writer.store(connection, work, now)
            except (psycopg.DataError, psycopg.IntegrityError):
                work[0].gateway = None  # not even its number can be kept, so `rejected` alone has it
                return self._writer.store(connection, work, now)

    def _refuse(self, decoded: Decoded, error: psycopg.Error) -> None:
        payload = decoded.message.payload
        decoded.rows = []
        decoded.status = None
        decoded.rejections = [
            Rejection(Reason.UNSTORABLE, str(error), payload if decoded.sent else payload[:KEPT_BYTES], decoded.sent)
        ]

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
            dropped = drop_old_readings(connection, now, timedelta(days=self._settings.keep_readings_days))
        except psycopg.Error as error:  # housekeeping waits for the next time; what homes say does not wait for it
            log.warning("old readings not dropped", error=str(error).strip().splitlines()[:1])
            return
        if dropped:
            self._writer.forget_rooms()
            log.info("old readings dropped", days=dropped, kept_days=self._settings.keep_readings_days)

    def _until_done(self, work: Callable[[Connection], None]) -> bool:
        """Does `work` on a live connection, again and again until it succeeds; False when told to stop first."""
        wait_s = 0.2
        while not self.stopping.is_set():
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = connect(self._settings.database_url, DatabaseRole.INGEST, autocommit=True)
                    self._connection.add_notify_handler(lambda _notify: setattr(self._directory, "stale", True))
                    self._connection.execute("LISTEN register_changed")
                    self._directory.stale = True
                    self._writer.forget_rooms()
                work(self._connection)
                return True
            except (psycopg.OperationalError, psycopg.InternalError, psycopg.ProgrammingError) as error:
                # away, restarted, disk full, deadlock, not migrated yet: nothing was stored, nothing is
                # acknowledged, try again
                log.warning("database cannot store now", error=str(error).strip().splitlines()[:1], again_in_s=wait_s)
                if self._connection is not None:
                    self._connection.close()
                self.stopping.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return False


def run(settings: Settings, clock: Clock) -> None:
    """Runs one worker until SIGTERM or SIGINT."""
    ingest = Ingest(settings, clock)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ingest.stopping.set())
    ingest.run()
