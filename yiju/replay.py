"""`yiju replay`: a recording through the whole path, on its own dates.

A stack of its own in a folder of its own: a real gateway with its outbox, a real broker, ingest, PostgreSQL and the
alert engine. The clock stands still and is moved step by step: what the sensors said in a step goes through the
gateway, and when every reading of it is acknowledged end to end the engine looks at the homes. So the alerts are the
ones that would have come then, however fast the replay runs.
"""

import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.engine import tick
from alerts.learn import learn_due
from care.register import apply_register, read_document
from core.clock import ManualClock
from core.credentials import broker_password_hash, new_password
from core.errors import StackError
from core.metrics import BY_NAME
from core.wire import to_ms
from gateway.gateway import Gateway
from gateway.settings import Settings as GatewaySettings
from ingest.service import Ingest
from ingest.service import Settings as IngestSettings
from simulator.dialect import Message
from simulator.recordings import Recording
from simulator.replay import recording_messages, recording_register
from store.migrate import migrate
from store.pool import DatabaseRole, connect
from store.queries import load_queries
from yiju.embedded.broker import BrokerKind, EmbeddedBroker
from yiju.embedded.postgres import EmbeddedPostgres

QUERIES: Final = load_queries(__package__)
GATEWAY: Final = "replay"
STEP: Final = timedelta(minutes=15)  # how often the engine looks
PATIENCE_S: Final = 60.0  # of the machine's time, for one step to be acknowledged
STATES: Final = ("motion", "open", "occupied")
_POLL_S: Final = 0.002
_DAY: Final = timedelta(days=1)
# Nobody's data depends on this folder, so the power may fail.
_NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class ReplayedAlert:
    """An alert that the recording raised."""

    kind: str
    opened_at: datetime
    began_at: datetime
    ended_at: datetime | None
    message: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    Attributes:
        rows: ON, OFF, OPEN and CLOSE rows of the recording up to the cut.
        stored: readings of the same metrics in the database.
        distinct: how many of those differ in device, time and value.
        rejected: readings that were refused.
    """

    rows: int
    stored: int
    distinct: int
    rejected: int
    alerts: list[ReplayedAlert]


def replay(
    recording: Recording,
    *,
    zone: str,
    cut: datetime | None = None,
    speed: float | None = None,
    folder: Path | None = None,
    step: timedelta = STEP,
    broker: BrokerKind = BrokerKind.AUTO,
    advance: Callable[[float, float], None] = lambda done, total: None,
) -> Replayed:
    """Plays a recording.

    Args:
        zone: the home's zone; the recording's wall times are read in it.
        cut: local wall time from which on the person is not seen any more.
        speed: times as fast as real time; None: as fast as it goes.
        folder: where its database and broker live, kept; None: a folder that vanishes.
        step: how often the engine looks.
        advance: called with (days played, days in all).

    Raises:
        StackError: its database or broker does not start, or the path stands still.
        RegisterError: the recording cannot be read, or the cut lies outside it.
    """
    messages = list(recording_messages(recording, cut, zone))
    begins, ends = messages[0].time, messages[-1].time
    clock = ManualClock(begins)
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise StackError(f"{folder} is not empty: a replay needs a folder of its own, as its clock begins anew")
    with ExitStack() as stack:
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yiju-replay-")))
        database, gateway = stack.enter_context(_running(where, recording, zone, clock, broker))
        connection = stack.enter_context(connect(database, DatabaseRole.ALERTS))
        connection.commit()
        done = 0
        while done < len(messages):
            now = clock.move(step)
            until = bisect_right(messages, now, lo=done, key=lambda message: message.time)
            _play(gateway, messages[done:until], now)
            done = until
            tick(connection, now)
            for error in learn_due(connection, now).values():
                raise error
            connection.commit()
            if speed is not None:
                time.sleep(step.total_seconds() / speed)
            advance((now - begins) / _DAY, (ends - begins) / _DAY)
        return _outcome(database, recording, zone, cut)


def _play(gateway: Gateway, messages: Sequence[Message], now: datetime) -> None:
    """Sends one step and waits until the platform has all of it."""
    gateway.receive_many((message.topic, message.payload, message.time) for message in messages)
    gateway.tick(now)
    gateway.flush()
    until = time.monotonic() + PATIENCE_S
    while left := gateway.unacknowledged():
        if time.monotonic() > until:
            raise StackError(f"{left} readings were not acknowledged within {PATIENCE_S:g} s: the path stands still")
        time.sleep(_POLL_S)


@contextmanager
def _running(
    folder: Path, recording: Recording, zone: str, clock: ManualClock, kind: BrokerKind
) -> Iterator[tuple[str, Gateway]]:
    """The whole path: gives the database's URL and the gateway to feed."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", extra=_NOT_DURABLE)
        postgres.prepare()
        stack.callback(postgres.stop)
        postgres.start()
        migrate(postgres.url(), clock.now())
        password = new_password()
        hashed = broker_password_hash(password)
        document = recording_register(recording, zone, gateway=GATEWAY, password_hash=hashed)
        with connect(postgres.url(), DatabaseRole.REGISTER, autocommit=True) as connection:
            apply_register(connection, read_document(document, recording.name), recording.name, clock.now())
        broker = EmbeddedBroker(folder / "broker", wanted=kind)
        broker.prepare()
        broker.write_accounts({GATEWAY: hashed})
        stack.callback(broker.stop)
        broker.start()
        ingest = Ingest(IngestSettings(postgres.url(), broker.url()), clock)
        thread = threading.Thread(target=ingest.run, name="ingest")
        thread.start()
        stack.callback(thread.join)
        stack.callback(ingest.stopping.set)
        settings = GatewaySettings(
            gateway_key=GATEWAY,
            gateway_password=password,
            platform_url=f"mqtt://127.0.0.1:{broker.port}",
            gateway_folder=str(folder / "gateway"),
        )
        gateway = Gateway(settings, clock)
        stack.callback(gateway.stop)
        _await(lambda: ingest.connected, "ingest did not reach the broker")
        gateway.start()
        yield postgres.url(), gateway


def _await(holds: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise StackError(f"{otherwise} within {PATIENCE_S:g} s")
        time.sleep(_POLL_S)


def _outcome(database: str, recording: Recording, zone: str, cut: datetime | None) -> Replayed:
    with connect(database, DatabaseRole.OWNER) as connection:
        metrics = [BY_NAME[name].id for name in STATES]
        counts = connection.execute(QUERIES["replayed_counts"], {"metrics": metrics}).fetchone()
        alerts = connection.execute(QUERIES["replayed_alerts"]).fetchall()
    assert counts is not None  # an aggregate always gives a row
    return Replayed(
        rows=_rows(recording, zone, cut),
        stored=counts["stored"],
        distinct=counts["distinct_rows"],
        rejected=int(counts["rejected"]),
        alerts=[
            ReplayedAlert(row["kind"], row["opened_at"], row["began_at"], row["resolved_at"], row["message"],
                          row["parameters"])
            for row in alerts
        ],
    )  # fmt: skip


def _rows(recording: Recording, zone: str, cut: datetime | None) -> int:
    """How many state rows the recording has up to the cut."""
    states = np.array([sensor.kind != "power_w" for sensor in recording.sensors])[recording.sensor]
    if cut is not None:
        states = states & (recording.times(ZoneInfo(zone)) < to_ms(cut.replace(tzinfo=ZoneInfo(zone))))
    return int(states.sum())
