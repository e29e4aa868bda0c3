"""Stores decoded messages: ledger, readings, rollups, states and urgent events in ONE transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from core.metrics import BY_NAME
from core.model import Flag
from core.wire import from_ms
from ingest.decode import LANES, Decoded
from ingest.downlink.answers import put_answers
from ingest.rows import READING, Readings, copy_bytes, device_states, home_states, rollups, urgent
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)
_DAY_MS: Final = 86_400_000
_ARRAY_COLUMNS: Final = ["home", "device", "time", "received", "value", "metric", "flags"]


class Writer:
    """Writes to one database. Keeps in mind for which days `reading` has room already."""

    def __init__(self) -> None:
        self._days: set[int] = set()

    def store(self, connection: Connection, work: Sequence[Decoded], now: datetime) -> int:
        """Stores all of `work`, or nothing; a batch whose ledger row stands changes nothing.

        Args:
            connection: with the rights of DatabaseRole.INGEST, outside a transaction.
            work: decoded messages, in the order they came.
            now: the platform's present; becomes `stored_at`.

        Returns:
            How many readings were new.

        Raises:
            psycopg.Error: nothing of it was stored.
        """
        batches = _first_of_each(work)
        self._make_room(connection, batches)
        with connection.transaction():
            new = _claim(connection, _counts(batches), now)
            readings = _as_array(batches, new)
            if len(readings):
                _write(connection, readings, now)
            unnumbered = [decoded for decoded in work if _key(decoded) is None]
            for decoded in [*unnumbered, *(decoded for decoded in batches if _key(decoded) in new)]:
                _reject(connection, decoded, now)
            _hear(connection, batches, new, now)
            for decoded in work:
                if decoded.status is not None and decoded.gateway is not None:
                    _put_status(connection, decoded, now)
        return len(readings)

    def store_history(self, connection: Connection, number: "Number", readings: Readings, now: datetime) -> int:
        """Stores readings that never were on a wire (a demo's past) as one batch; returns how many were new.

        Args:
            number: its place in the ledger; a number that is there already changes nothing.
            readings: shape (n,), dtype READING; `batch` is filled in here.
        """
        self._make_room_for(connection, np.unique(readings["time"] // _DAY_MS).tolist())
        with connection.transaction():
            claimed = _claim(connection, {number: (len(readings), 0)}, now)
            if number not in claimed or not len(readings):
                return 0
            readings["batch"] = claimed[number]
            _write(connection, readings, now)
        return len(readings)

    def forget_rooms(self) -> None:
        """Asks again for every day: after a lost connection, or when retention dropped some."""
        self._days.clear()

    def _make_room(self, connection: Connection, batches: Sequence[Decoded]) -> None:
        self._make_room_for(connection, sorted({row[2] // _DAY_MS for decoded in batches for row in decoded.rows}))

    def _make_room_for(self, connection: Connection, days: Sequence[int]) -> None:
        for day in days:
            if day not in self._days:
                with connection.transaction():  # of its own: the table is locked against other makers for a moment
                    connection.execute(QUERIES["make_room"], {"day": from_ms(day * _DAY_MS)})
                self._days.add(day)


Number = tuple[int, UUID, int, int]  # gateway id, session, lane, seq


def _key(decoded: Decoded) -> Number | None:
    if decoded.gateway is None or decoded.numbered is None:
        return None
    session, lane, seq = decoded.numbered
    return decoded.gateway.id, session, LANES[lane], seq


def _first_of_each(work: Sequence[Decoded]) -> list[Decoded]:
    """The batches of known gateways, each number once."""
    seen: dict[Number, Decoded] = {}
    for decoded in work:
        key = _key(decoded)
        if key is not None:
            seen.setdefault(key, decoded)
    return list(seen.values())


def _counts(batches: Sequence[Decoded]) -> dict[Number, tuple[int, int]]:
    """Number -> how many readings were sent, how many of them rejected."""
    keyed = [(_key(decoded), decoded) for decoded in batches]
    return {key: (decoded.sent, decoded.sent - len(decoded.rows)) for key, decoded in keyed if key is not None}


def _claim(connection: Connection, batches: Mapping[Number, tuple[int, int]], now: datetime) -> dict[Number, int]:
    """Number -> ledger id of those batches (number -> sent, rejected) that were not in the ledger yet."""
    if not batches:
        return {}
    gateways, sessions, lanes, seqs = zip(*batches, strict=True)
    rows = connection.execute(
        QUERIES["claim_batches"],
        {
            "gateway": list(gateways),
            "session": list(sessions),
            "lane": list(lanes),
            "seq": list(seqs),
            "stored_at": [now] * len(batches),
            "readings": [sent for sent, _ in batches.values()],
            "rejected": [rejected for _, rejected in batches.values()],
        },
    )
    return {(row["gateway_id"], row["session"], row["lane"], row["seq"]): row["id"] for row in rows}


def _as_array(batches: Sequence[Decoded], new: dict[Number, int]) -> Readings:
    rows: list[tuple[Any, ...]] = []
    for decoded in batches:
        key = _key(decoded)
        if key in new:
            batch = new[key]
            rows.extend((home, device, batch, time, received, value, metric, flags)
                        for home, device, time, received, value, metric, flags in decoded.rows)  # fmt: skip
    return np.array(rows, dtype=READING)


def _write(connection: Connection, readings: Readings, now: datetime) -> None:
    with connection.cursor() as cursor, cursor.copy(QUERIES["copy_readings"]) as copy:
        copy.write(copy_bytes(readings))
    connection.execute(QUERIES["add_rollups"], rollups(readings))
    pressing = urgent(readings)
    if len(pressing):
        events = {name: pressing[name].tolist() for name in ("home", "device", "metric", "time", "value")}
        events["changed"] = ((pressing["flags"] & Flag.CHANGED) != 0).tolist()
        connection.execute(QUERIES["add_urgent_events"], {**events, "sos": BY_NAME["sos"].id, "now": now})
        connection.execute(QUERIES["tell_urgent"])
        put_answers(connection, pressing)
    connection.execute(QUERIES["put_device_states"], device_states(readings))
    connection.execute(QUERIES["put_home_states"], {**home_states(readings), "heard_at": None})


def _hear(connection: Connection, batches: Sequence[Decoded], new: dict[Number, int], now: datetime) -> None:
    """A batch that was new shows that its gateway lives; one delivered again may be a broker's memory."""
    heard = {decoded.gateway.id: decoded.gateway.home_id for decoded in batches
             if decoded.gateway is not None and _key(decoded) in new}  # fmt: skip
    if heard:
        connection.execute(QUERIES["gateways_heard"], {"gateway": list(heard), "now": now})
        connection.execute(QUERIES["homes_heard"], {"home": sorted(set(heard.values())), "now": now})


def _put_status(connection: Connection, decoded: Decoded, now: datetime) -> None:
    if decoded.gateway is None or decoded.status is None:
        return
    alive = decoded.status.online and not decoded.message.retained
    connection.execute(
        QUERIES["put_gateway_status"],
        {
            "gateway": decoded.gateway.id,
            "online": decoded.status.online,
            "now": now,
            "heard_at": now if alive else None,
        },
    )
    if alive:
        connection.execute(QUERIES["homes_heard"], {"home": [decoded.gateway.home_id], "now": now})


def _reject(connection: Connection, decoded: Decoded, now: datetime) -> None:
    for rejection in decoded.rejections:
        connection.execute(
            QUERIES["put_rejected"],
            {
                "now": now,
                "topic": decoded.message.topic[:500].replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "reason": rejection.reason,
                "detail": rejection.detail[:500].replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "size": len(decoded.message.payload),
                "readings": rejection.readings,
                "payload": rejection.payload,
            },
        )


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
