"""The ingest service: take -> decode -> store -> acknowledge, for ever; it waits for a database that is away.

Three threads: the subscriber's takes messages and sends acknowledgements, this one decodes, and the storing one writes
(ingest/storing.py). So one batch is decoded while another one commits.
"""

import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec
import structlog

from core.clock import Clock
from ingest.database import Database
from ingest.decode import Decoded, Message, decode
from ingest.directory import Directory
from ingest.downlink import Downlink
from ingest.storing import Storing
from ingest.subscriber import Subscriber
from ingest.writer import Prepared, prepare
from store.pool import Connection

log = structlog.get_logger()

MOST_READINGS: Final = 5_000  # in one transaction
MOST_MESSAGES: Final = 5_000
TOGETHER_S: Final = 0.2  # a batch that is not full waits so long for more, unless something urgent is in it
QUIET_S: Final = 0.02  # and no longer than until nothing has come for so long
AT_ONCE: Final = 500  # messages taken at a time
SWITCH_S: Final = 0.001  # a thread whose answer from the database has come waits no longer for the one that decodes


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
    ingest_shared: Annotated[
        bool, msgspec.Meta(description="Workers share the messages, also over several hosts (not with amqtt)")
    ] = False


class Ingest:
    """One worker.

    Args:
        settings: see `Settings`.
        clock: gives the platform's present.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self.stopping = threading.Event()
        self._subscriber = Subscriber(
            settings.broker_url,
            f"yiju-ingest-{settings.ingest_worker}",
            self.stopping.set,
            shared=settings.ingest_shared,
        )
        self._downlink = Downlink(
            settings.database_url, settings.broker_url, f"yiju-ingest-{settings.ingest_worker}-downlink", clock
        )
        self._taken: deque[Message] = deque()  # and not decoded yet
        self._directory = Directory()
        self._register = Database(settings.database_url, self.stopping, self._connected)
        self._storing = Storing(
            settings.database_url,
            clock,
            timedelta(days=settings.keep_readings_days),
            self._subscriber,
            self.stopping,
        )

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the subscription."""
        return self._subscriber.connected

    @property
    def stored(self) -> int:
        """Readings since the start."""
        return self._storing.stored

    def run(self) -> None:
        """Works until `stopping` is set. What is not committed by then is not acknowledged."""
        self._storing.start()  # nothing is taken before the database is there
        self._register.until_done(self._read_register)
        self._subscriber.start()
        self._downlink.start()
        log.info("ingest started")
        try:
            while not self.stopping.is_set():
                work = self._gather()
                if work:
                    self._storing.put(self._prepare(work))
        finally:
            self._downlink.stop()
            self.stopping.set()
            self._storing.join()
            self._subscriber.stop()
            self._register.close()
        log.info("ingest stopped", stored=self.stored)

    def _gather(self) -> list[Decoded]:
        """Messages for one transaction, decoded while more of them come."""
        work: list[Decoded] = []
        readings, until, urgent = 0, 0.0, False
        while not self.stopping.is_set() and readings < MOST_READINGS and len(work) < MOST_MESSAGES:
            if not self._taken:
                left_s = until - time.monotonic() if work else TOGETHER_S
                if work and (urgent or left_s <= 0):
                    break
                self._taken.extend(self._subscriber.take(AT_ONCE, min(left_s, QUIET_S) if work else left_s))
                if not self._taken:
                    break  # nobody says anything more just now
            if not work:
                until = time.monotonic() + TOGETHER_S
            decoded = decode(self._taken.popleft(), self._directory.gateway)
            work.append(decoded)
            readings += decoded.sent
            urgent |= decoded.urgent
        return work

    def _prepare(self, work: Sequence[Decoded]) -> Prepared:
        """Looks at what they hold, by the register as it stands now: a device may have moved or ended meanwhile."""
        changed = False

        def look(connection: Connection) -> None:
            nonlocal changed
            connection.execute("SELECT")  # the database tells of changes only to who speaks to it
            changed = self._read_register(connection)

        if self._register.until_done(look) and changed:
            work = [decode(decoded.message, self._directory.gateway) for decoded in work]
        return prepare(work, self._clock.now())

    def _read_register(self, connection: Connection) -> bool:
        """Reads it when it was changed, as it stood at one moment; returns whether it was."""
        if not self._directory.stale:
            return False
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return self._directory.refresh(connection)

    def _connected(self, connection: Connection) -> None:
        connection.add_notify_handler(lambda _: setattr(self._directory, "stale", True))
        connection.execute("LISTEN register_changed")
        self._directory.stale = True


def run(settings: Settings, clock: Clock) -> None:
    """Runs one worker until SIGTERM or SIGINT."""
    sys.setswitchinterval(SWITCH_S)
    ingest = Ingest(settings, clock)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ingest.stopping.set())
    ingest.run()
