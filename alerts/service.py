"""The alerts service: ticks at its pace and at once when an urgent event comes, learns habits, sends messages."""

import logging
import os
import signal
import socket
from collections.abc import Sequence
from datetime import timedelta
from threading import Event, Lock, Thread
from time import perf_counter
from typing import Annotated, Final, Literal

import msgspec
import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from alerts import slices
from alerts.at_once import at_once
from alerts.climber import Climber
from alerts.engine import tick
from alerts.learn import learn_due
from alerts.notify.sender import keep_channels_out_of_logs
from alerts.pace import lasting
from alerts.shifts.morning import send_mornings
from alerts.telling import Telling, Voice
from alerts.watcher.signs import Limits
from core.clock import Clock
from core.words import load_words
from store.pool import Connection, DatabaseRole, connect, listening, open_pool
from store.retention import forget_outlived

SLACK_S: Final = 10.0  # how long a reading may be under way from a sensor to the database
HEARTBEAT_S: Final = 2.0
LEARN_S: Final = 60.0
LEARN_AGAIN_S: Final = 3600.0  # a home that could not be learned is tried again
BROKEN_S: Final = 60.0  # an alert that could not be taken further is tried more often than that
MORNING_S: Final = 60.0  # how often it is asked whether a manager's morning is due
STALLED_S: Final = 30.0  # without a tick that ended well: nothing is looked at
HANGS_S: Final = 120.0  # a tick that lasts so long: longer than a blackout of ten thousand homes takes
LISTEN_S: Final = 1.0  # how often the listener looks whether to stop
RECONNECT_S: Final = 0.25
FORGET_S: Final = 3600.0


class Settings(msgspec.Struct, frozen=True):
    database_url: Annotated[str, msgspec.Meta(description="PostgreSQL URL of a member of yiju_alerts")]
    notify_urls: Annotated[str, msgspec.Meta(description="Apprise URLs told of every alert, separated by spaces")] = ""
    tick_s: Annotated[float, msgspec.Meta(gt=0, description="seconds between two looks at everything")] = 5.0
    keep_rollups_days: Annotated[
        int, msgspec.Meta(description="Quarter-hour sums older than this are deleted; readings go earlier", ge=30)
    ] = 1826
    public_url: Annotated[str, msgspec.Meta(description="where people reach the pages; goes into messages")] = (
        "http://127.0.0.1:8080"
    )
    operator_channels: Annotated[
        str, msgspec.Meta(description="channels of who runs the platform, told when a part of it fails")
    ] = ""
    operator_locale: Annotated[Literal["zh_CN", "en"], msgspec.Meta(description="in which language")] = "zh_CN"
    heartbeat_channels: Annotated[str, msgspec.Meta(description="channels that get `all is well`")] = ""
    heartbeat_s: Annotated[float, msgspec.Meta(ge=60, description="seconds between two of them")] = 86_400.0
    nothing_stored_s: Annotated[
        float, msgspec.Meta(gt=0, description="the operator is told when no gateway has said anything for so long")
    ] = 900.0
    push_contact: Annotated[
        str, msgspec.Meta(description="mailto: or https: that push services may write to; empty: the public URL")
    ] = ""
    zone: Annotated[str, msgspec.Meta(description="IANA zone of the times in messages to the operator")] = (
        "Asia/Shanghai"
    )
    alerts_worker: Annotated[
        str, msgspec.Meta(description="Name of this worker, one per running worker; empty: host and process")
    ] = ""


def run(settings: Settings, clock: Clock) -> None:
    """Runs until SIGTERM or SIGINT, then lets what is under way end. Call it on the main thread."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_channels_out_of_logs()
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a job that waits for the database is skipped, not news
    service = AlertsService(settings, clock)
    service.start()
    stop.wait()
    service.stop()


class AlertsService:
    """The service's threads: a scheduler (ticks, heartbeats, learning), a climber, a listener for calls for help.

    Looks at the homes whose slices it holds (alerts/slices.py): alone at all, with other workers at its share. Calls
    for help, due rungs and deliveries are claimed by whoever comes first; what is done once is the leader's.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._name = settings.alerts_worker or f"{socket.gethostname()}-{os.getpid()}"
        self._pool = open_pool(settings.database_url, DatabaseRole.ALERTS, size=12)
        self._telling = Telling(self._pool, clock, load_words(), voice_of(settings), self._failed, self._name)
        self._channels = settings.notify_urls.split()
        self._climber = Climber(settings.database_url, clock, self._channels, self._telling.wake, self._failed)
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._listener = Thread(target=self._listen, name="urgent-events", daemon=True)
        self._stopping = Event()
        self._ticking = Lock()
        self._log = structlog.get_logger()
        self._ticks = 0
        self._tick_ms = 0.0
        self._ticked_at = perf_counter()
        self._failures = 0
        self._lost = False
        self._leads = False
        self._tick_began: float | None = None
        self._blind = 0  # slices that could not be looked at in the last tick
        self._unlearned: dict[int, float] = {}  # homes that could not be learned -> until when they are left out

    def start(self) -> None:
        """Does not wait for a database that is away. What is due is told first, the look at the homes comes after."""
        self._climber.start()
        self._listener.start()
        self._telling.start()
        jobs = (
            (self._renew, slices.RENEW_S),
            (self._tick, self._settings.tick_s),
            (self._beat, HEARTBEAT_S),
            (self._learn, LEARN_S),
            (self._forget, FORGET_S),
            (self._mornings, MORNING_S),
        )
        for job, seconds in jobs:
            self._scheduler.add_job(job, "interval", seconds=seconds, max_instances=1, coalesce=True,
                                    misfire_grace_time=None)  # fmt: skip
        self._scheduler.add_job(self._renew, id="first lease", misfire_grace_time=None)
        self._scheduler.start()
        self._log.info("alerts_started", tick_s=self._settings.tick_s, channels=len(self._channels))

    def stop(self) -> None:
        self._stopping.set()
        self._scheduler.shutdown(wait=True)
        self._climber.stop()
        self._listener.join()
        self._telling.stop()
        self._sign_off()
        self._pool.close()
        self._log.info("alerts_stopped")

    def _listen(self) -> None:
        """Brings calls for help in at once; asks for a tick for all else, and after every loss of the database."""
        while not self._stopping.is_set():
            try:
                url = self._settings.database_url
                with (
                    listening(url, DatabaseRole.ALERTS, "urgent_event") as ears,
                    connect(url, DatabaseRole.ALERTS, autocommit=True) as hands,
                ):
                    self._at_once(hands, look=True)
                    while not self._stopping.is_set():
                        if any(True for _ in ears.notifies(timeout=LISTEN_S, stop_after=1)):
                            self._at_once(hands)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: without it an SOS waits for the next tick
                self._failed("listen", error)
                self._stopping.wait(RECONNECT_S)

    def _at_once(self, connection: Connection, *, look: bool = False) -> None:
        """Waits neither for a tick that is under way nor for a free connection of the pool.

        Args:
            look: have everything looked at, whatever there is.
        """
        with connection.transaction():
            done = at_once(connection, self._clock.now(), platform_channels=self._channels)
        if done.opened:
            self._telling.wake()
        if done.look or look:
            self._tick_soon()

    def _renew(self) -> None:
        """Prolongs the leases. A worker whose tick hangs does not: others shall look at its homes."""
        if self._hanging():
            return
        lease = lasting(self._clock, slices.LEASE_S)
        try:
            with self._pool.connection() as connection:
                share = slices.renew(connection, self._clock.now(), self._name, lease)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: what is not renewed moves on
            self._failed("renew", error)
            return
        self._leads = share.leads
        if share.taken:
            self._log.info("slices_taken", worker=self._name, held=len(share.held), workers=share.workers)
            self._tick_soon()

    def _hanging(self) -> bool:
        began = self._tick_began
        return began is not None and perf_counter() - began > HANGS_S

    def _sign_off(self) -> None:
        try:
            with self._pool.connection() as connection:
                slices.sign_off(connection, self._name)
        except psycopg.OperationalError as error:  # its leases run out
            self._failed("sign_off", error)

    def _tick_soon(self) -> None:
        self._scheduler.add_job(self._tick, id="now", replace_existing=True, misfire_grace_time=None,
                                max_instances=2)  # fmt: skip

    def _tick(self) -> None:
        with self._ticking:  # one at a time in this process; other processes are kept apart by the database
            began = self._tick_began = perf_counter()
            try:
                with self._pool.connection() as connection:
                    mine = slices.held(connection, self._clock.now(), self._name)
                self._blind = self._look(mine)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: the next tick tries again
                self._failed("tick", error)
                return
            finally:
                self._tick_began = None
            if self._lost:
                self._lost = False
                self._log.info("database_back")
            self._ticks += 1
            self._ticked_at = perf_counter()
            self._tick_ms = (self._ticked_at - began) * 1000
        self._telling.wake()

    def _look(self, mine: Sequence[int]) -> int:
        """One look at the homes of these slices. When it fails, at each slice alone: what stops it is in one of them.

        Returns how many slices could not be looked at; raises when none could.
        """
        if not mine:
            return 0
        try:
            self._look_at(mine)
            return 0
        except Exception as error:
            if _is_lost(error) or len(mine) == 1:
                raise
            self._failed("tick", error)
        blind = 0
        for one in mine:
            try:
                self._look_at([one])
            except Exception as fault:  # a bulkhead (ADR 28): counted, logged, and told by the watcher
                blind += 1
                if _is_lost(fault) or blind == len(mine):
                    raise
                self._failed(f"tick of slice {one}", fault)
        return blind

    def _look_at(self, some: Sequence[int]) -> None:
        with self._pool.connection() as connection:
            slack_s = lasting(self._clock, SLACK_S).total_seconds()
            tick(connection, self._clock.now(), platform_channels=self._channels, slack_s=slack_s, slices=some)

    def _learn(self) -> None:
        if not self._leads:
            return
        present = perf_counter()
        self._unlearned = {home: until for home, until in self._unlearned.items() if until > present}
        try:
            with self._pool.connection() as connection:
                failed = learn_due(connection, self._clock.now(), apart=self._unlearned)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed("learn", error)
            return
        for home, fault in failed.items():
            self._failed(f"learn home {home}", fault)
            self._unlearned[home] = present + LEARN_AGAIN_S

    def _forget(self) -> None:
        """Deletes what has outlived its purpose: store/retention.py says what, when and why."""
        if not self._leads:
            return
        rollups = timedelta(days=self._settings.keep_rollups_days)
        try:
            with connect(self._settings.database_url, DatabaseRole.ALERTS, autocommit=True) as connection:
                gone = forget_outlived(connection, self._clock.now(), rollups)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed("forget", error)
            return
        if any(gone.values()):
            self._log.info("outlived_rows_deleted", **{table: count for table, count in gone.items() if count})

    def _mornings(self) -> None:
        if not self._leads:
            return
        try:
            with self._pool.connection() as connection:
                send_mornings(connection, self._clock.now())
        except Exception as error:  # noqa: BLE001 - as above
            self._failed("mornings", error)

    def _beat(self) -> None:
        stalled = perf_counter() - self._ticked_at > STALLED_S + self._settings.tick_s
        broke_at = self._climber.broke_at
        details = {
            "ticks": self._ticks,
            "tick_ms": round(self._tick_ms, 1),
            "failures": self._failures,
            "stalled": stalled,
            "blind": self._blind,
            "broken": int(broke_at is not None and perf_counter() - broke_at < BROKEN_S),
        }
        try:
            with self._pool.connection() as connection:
                slices.beat(connection, self._clock.now(), self._name, details)
        except psycopg.OperationalError as error:
            self._failed("heartbeat", error)

    def _failed(self, what: str, error: Exception) -> None:
        """Counts and logs; the loss of the database once, until it is back."""
        self._failures += 1
        lost = _is_lost(error)
        if not (lost and self._lost):
            kind = "database_lost" if lost else "alerts_failed"
            self._log.error(kind, what=what, error=type(error).__name__, message=str(error).splitlines()[:1])
        self._lost = self._lost or lost


def _is_lost(error: Exception) -> bool:
    """Whether it is the database that is away."""
    # no SQLSTATE: the connection broke or never came about; 57: the server shuts down or starts
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57")[:2] in ("08", "57")


def voice_of(settings: Settings) -> Voice:
    """How this service tells people, and the operator."""
    contact = settings.push_contact
    if not contact:  # a push service wants an address of somebody; one with HTTPS is one
        contact = settings.public_url if settings.public_url.startswith("https:") else "mailto:operator@example.org"
    return Voice(
        public_url=settings.public_url,
        operator=settings.operator_channels.split(),
        heartbeat=settings.heartbeat_channels.split(),
        heartbeat_s=settings.heartbeat_s,
        locale=settings.operator_locale,
        zone=settings.zone,
        contact=contact,
        limits=Limits(nothing_stored_s=settings.nothing_stored_s),
    )
