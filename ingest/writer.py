"""Stores decoded messages: ledger, readings, rollups, states and urgent events in ONE transaction.

Tables are written in one order, and rows within each by their key, so that workers wait for each other and never in a
circle: ledger, reading, rollup, urgent_event, device_state, home_state, gateway_status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from core.metrics import BY_NAME
from core.model import Flag
from core.wire import from_ms, to_ms
from ingest.arrays import Bools, Floats8, Ints2, Ints4, Ints8, Times, Uuids
from ingest.decode import Decoded, Number, Rejection
from ingest.downlink.answers import put_answers
from ingest.rows import READING, Columns, Derived, Readings, copy_bytes, home_columns, urgent
from ingest.screen import Screened, screen
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)
_DAY_MS: Final = 86_400_000


@dataclass
class Prepared:
    """Messages that are ready to be stored; what follows from their readings is worked out beforehand.

    Attributes:
        work: in the order they came.
        screened: their readings; `batch` is the place of the message in `work`.
        batches: place in `work` of each batch that is numbered, a number once, in the ledger's order.
    """

    work: Sequence[Decoded]
    screened: Screened
    batches: dict[Number, int] = field(init=False)

    def __post_init__(self) -> None:
        batches: dict[Number, int] = {}
        for at, decoded in enumerate(self.work):
            number = decoded.number
            if number is not None:
                batches.setdefault(number, at)
        self.batches = dict(sorted(batches.items()))

    @property
    def statuses(self) -> bool:
        """Whether a known gateway says something of itself."""
        return any(decoded.status is not None and decoded.gateway is not None for decoded in self.work)

    @cached_property
    def derived(self) -> Derived | None:
        """Of all readings whose number is claimed, when all are (the usual case)."""
        readings = self.screened.readings
        if len(self.batches) < len(self.work):  # a number twice: only its first is stored
            readings = readings[np.isin(readings["batch"], list(self.batches.values()))]
        return Derived(readings) if len(readings) else None

    @cached_property
    def days(self) -> list[int]:
        """Days since 1970 that the readings are of."""
        days: list[int] = np.unique(self.screened.readings["time"] // _DAY_MS).tolist()
        return days

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        """How many readings of each message are stored."""
        return np.bincount(self.screened.readings["batch"], minlength=len(self.work))


def prepare(work: Sequence[Decoded], now: datetime) -> Prepared:
    """Looks at all readings and works out what follows from them.

    Args:
        now: the platform's present; the readings' times are judged by it.
    """
    prepared = Prepared(work, screen(work, to_ms(now)))
    _ = prepared.derived, prepared.days, prepared.kept
    return prepared


class Writer:
    """Writes to one database. Keeps in mind for which days `reading` has room already."""

    def __init__(self) -> None:
        self._days: set[int] = set()

    def store(self, connection: Connection, prepared: Prepared, now: datetime) -> int:
        """Stores all of it, or nothing; a batch whose ledger row stands changes nothing.

        Args:
            connection: with the rights of DatabaseRole.INGEST, outside a transaction, made ready for
                ingest.arrays.
            now: the platform's present; becomes `stored_at`.

        Returns:
            How many readings were new.

        Raises:
            psycopg.Error: nothing of it was stored.
        """
        self._make_room_for(connection, prepared.days)
        with connection.transaction():
            new = _claim(connection, prepared, now)
            readings, derived = _of_new(prepared, new)
            if len(readings):
                _copy(connection, readings)
            senders = {decoded.gateway.id: decoded.gateway for decoded in (prepared.work[at] for at in new)
                       if decoded.gateway is not None}  # fmt: skip
            heard = {gateway.home_id for gateway in senders.values() if not gateway.ended}  # what was taken away is not
            with connection.pipeline():
                _keep(connection, readings, derived, sorted(heard), now)
                if senders:
                    gateways = sorted(senders)
                    in_use = Bools([not senders[gateway].ended for gateway in gateways])
                    parameters = {"gateway": Ints4(gateways), "heard": in_use, "now": now}
                    connection.execute(QUERIES["gateways_heard"], parameters)
                _reject(connection, prepared, new, now)
        return len(readings)

    def put_statuses(self, connection: Connection, work: Sequence[Decoded], now: datetime) -> None:
        """Keeps what gateways say of themselves: the last word of each; the same words again change nothing.

        A retained status tells what the gateway last was, not that it was heard now.
        """
        said: dict[int, list[bool]] = {}
        homes: dict[int, int] = {}  # gateway -> home, of those that were heard now
        for decoded in work:
            if decoded.gateway is None or decoded.status is None:
                continue
            said.setdefault(decoded.gateway.id, []).append(decoded.status.online)
            if decoded.status.online and not decoded.message.retained and not decoded.gateway.ended:
                homes[decoded.gateway.id] = decoded.gateway.home_id
        gateways = sorted(said)
        with connection.transaction():
            if homes:
                heard = home_columns(np.unique(list(homes.values())), np.empty(0, READING))
                connection.execute(QUERIES["put_home_states"], {**heard, "now": now})
            connection.execute(
                QUERIES["put_gateway_statuses"],
                {
                    "gateway": Ints4(gateways),
                    "online": Bools([said[gateway][-1] for gateway in gateways]),
                    "blinked": Bools([len(set(said[gateway])) > 1 for gateway in gateways]),
                    "heard": Bools([gateway in homes for gateway in gateways]),
                    "now": now,
                },
            )

    def store_history(self, connection: Connection, number: Number, readings: Readings, now: datetime) -> int:
        """Stores readings that never were on a wire (a demo's past) as one batch; returns how many were new.

        Args:
            number: its place in the ledger; a number that is there already changes nothing.
            readings: shape (n,), dtype READING; `batch` is filled in here.
        """
        self._make_room_for(connection, np.unique(readings["time"] // _DAY_MS).tolist())
        with connection.transaction():
            claimed = connection.execute(QUERIES["claim_batches"], _ledger([number], [len(readings)], [0], now))
            row = claimed.fetchone()
            if row is None or not len(readings):
                return 0
            readings["batch"] = row["id"]
            _copy(connection, readings)
            with connection.pipeline():
                _keep(connection, readings, Derived(readings), [], now)
        return len(readings)

    def forget_rooms(self) -> None:
        """Asks again for every day: after a lost connection, or when retention dropped some."""
        self._days.clear()

    def _make_room_for(self, connection: Connection, days: Sequence[int]) -> None:
        for day in days:
            if day not in self._days:
                with connection.transaction():  # of its own: the table is locked against other makers for a moment
                    connection.execute(QUERIES["make_room"], {"day": from_ms(day * _DAY_MS)})
                self._days.add(day)


def _ledger(numbers: Sequence[Number], sent: Sequence[int], rejected: Any, now: datetime) -> dict[str, Any]:
    gateways, sessions, lanes, seqs = zip(*numbers, strict=True)
    return {
        "gateway": Ints4(gateways),
        "session": Uuids(sessions),
        "lane": Ints2(lanes),
        "seq": Ints8(seqs),
        "readings": Ints4(sent),
        "rejected": Ints4(rejected),
        "now": now,
    }


def _claim(connection: Connection, prepared: Prepared, now: datetime) -> dict[int, int]:
    """Place in `work` -> ledger id, of those batches that were not in the ledger yet."""
    if not prepared.batches:
        return {}
    places = list(prepared.batches.values())
    sent = [prepared.work[at].sent for at in places]
    parameters = _ledger(list(prepared.batches), sent, np.array(sent) - prepared.kept[places], now)
    ids = [row["id"] for row in connection.execute(QUERIES["claim_batches"], parameters)]
    if len(ids) == len(places):
        return dict(zip(places, ids, strict=True))  # an INSERT returns its rows in the order in which it was given them
    claimed = connection.execute(QUERIES["claimed_places"], {**parameters, "ids": ids}) if ids else ()
    return {places[row["place"] - 1]: row["id"] for row in claimed}


def _of_new(prepared: Prepared, new: dict[int, int]) -> tuple[Readings, Derived | None]:
    """The readings of the batches that are new, with their ledger ids, and what follows from them."""
    readings = prepared.screened.readings
    ids = np.zeros(len(prepared.work), np.int64)
    ids[list(new)] = list(new.values())
    batch = ids[readings["batch"]] if len(readings) else readings["batch"]
    derived = prepared.derived
    if len(new) < len(prepared.work) and not batch.all():
        readings, batch = readings[batch != 0], batch[batch != 0]
        if len(new) < len(prepared.batches):
            derived = Derived(readings) if len(readings) else None
    stored = readings.copy()
    stored["batch"] = batch
    return stored, derived


def _copy(connection: Connection, readings: Readings) -> None:
    with connection.cursor() as cursor, cursor.copy(QUERIES["copy_readings"]) as copy:
        copy.write(copy_bytes(readings))


def _keep(
    connection: Connection, readings: Readings, derived: Derived | None, heard: Sequence[int], now: datetime
) -> None:
    """What follows from readings, and which homes were heard."""
    if derived is None:
        if heard:
            states = home_columns(np.array(heard), readings[:0])
            connection.execute(QUERIES["put_home_states"], {**states, "now": now})
        return
    connection.execute(QUERIES["add_rollups"], derived.rollups)
    pressing = urgent(readings)
    if len(pressing):
        connection.execute(QUERIES["add_urgent_events"], {**_events(pressing), "sos": BY_NAME["sos"].id, "now": now})
        connection.execute(QUERIES["tell_urgent"])
        put_answers(connection, pressing)
    connection.execute(QUERIES["put_device_states"], derived.device_states)
    connection.execute(QUERIES["put_home_states"], {**derived.home_states(np.array(heard)), "now": now})


def _events(pressing: Readings) -> Columns:
    return {
        "home": Ints4(pressing["home"]),
        "device": Ints4(pressing["device"]),
        "metric": Ints2(pressing["metric"]),
        "time": Times(pressing["time"]),
        "value": Floats8(pressing["value"]),
        "changed": Bools((pressing["flags"] & Flag.CHANGED) != 0),
    }


def _reject(connection: Connection, prepared: Prepared, new: dict[int, int], now: datetime) -> None:
    """What is refused of batches that are new, and of messages that have no number."""
    found: list[tuple[Decoded, Rejection]] = [
        (prepared.work[at], rejection)
        for at, rejections in sorted(prepared.screened.refused.items())
        if at in new or prepared.work[at].number is None
        for rejection in rejections
    ]
    if not found:
        return
    connection.execute(
        QUERIES["put_rejected"],
        {
            "now": now,
            "topic": [_plain(decoded.message.topic) for decoded, _ in found],
            "reason": [rejection.reason.value for _, rejection in found],
            "detail": [_plain(rejection.detail) for _, rejection in found],
            "size": [len(decoded.message.payload) for decoded, _ in found],
            "readings": [rejection.readings for _, rejection in found],
            "payload": [rejection.payload for _, rejection in found],
        },
    )


def _plain(text: str) -> str:
    return text[:500].replace("\0", "\N{REPLACEMENT CHARACTER}")


def beat(connection: Connection, now: datetime, details: dict[str, Any]) -> None:
    """Says that ingest lives."""
    connection.execute(QUERIES["beat"], {"now": now, "details": Jsonb(details)})


def drop_old_readings(connection: Connection, now: datetime, keep: timedelta) -> int:
    """Retention: drops the days (partitions or chunks) that ended more than `keep` ago; says how many.

    Raises:
        psycopg.errors.LockNotAvailable: somebody reads them for longer than 2 s, such as a backup.
    """
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '2s'")
        row = connection.execute(QUERIES["drop_old_readings"], {"now": now, "keep": keep}).fetchone()
    return int(row["dropped"] or 0) if row else 0
