"""Learns homes each night and keeps what it found, versioned, in `profile`.

`profile.data` is `{"form": 2, "known": ..., PART: {...}, ...}`, one part a detector that learns. Each part is fitted by
its own module: "inactivity" from the home's memory of quiet spells (alerts/profile.py), "routine" from its quarter-hour
sums (alerts/routine.py).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from alerts import metered, profile, routine, visits
from alerts.detect import coverage, memory
from alerts.detect.memory import Memory
from alerts.detect.spells import Signs, room_codes, signs_of
from alerts.detect.visits import NO_VISITS, Past
from alerts.lifecycle import home_policy
from alerts.policy import DEFAULTS
from core.metrics import METRICS, Life
from core.model import LIFE_KINDS, DeviceKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "learn.sql")
ON_CHANGE: Final = [metric.id for metric in METRICS if metric.life is Life.ON_CHANGE]
TURNED_ON: Final = [metric.id for metric in METRICS if metric.life is Life.TURNED_ON]


def learn_due(
    connection: Connection, now: datetime, limit: int = 100, apart: Collection[int] = ()
) -> Mapping[int, Exception]:  # fmt: skip
    """Learns up to `limit` homes that are unknown or were learned more than a day ago. The caller owns the transaction.

    Args:
        apart: homes that are left out.

    Returns:
        the homes that could not be learned, and why. They keep what was known of them, and hold up no other.
    """
    failed: dict[int, Exception] = {}
    asked = {"now": now, "limit": limit, "apart": list(apart)}
    for row in connection.execute(QUERIES["homes_to_learn"], asked).fetchall():
        try:
            with connection.transaction():
                learn_home(connection, row["id"], row["zone"], now)
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - a bulkhead (ADR 28): given to the caller, who says so
            failed[row["id"]] = error
    return failed


def learn_home(connection: Connection, home_id: int, zone: str, now: datetime) -> dict[str, Any]:
    """Learns one home from what was measured before `now` and keeps what it found, also that it is too early."""
    offset_s = (now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds()
    policy = home_policy(connection, home_id).policy
    log = visits.load_log(connection, [home_id], now - timedelta(days=memory.MEMORY_DAYS), now)
    visited = log.past(home_id, now.timestamp(), policy.visit_s)
    remembered, spoken = remember_home(connection, home_id, now, offset_s, visited)
    inactivity = profile.write(remembered, spoken, policy.false_alarm_days, offset_s)
    past, witnesses = routine.past_of(connection, home_id, now), routine.witnesses_of(connection, home_id, now)
    habits = routine.fit(past, witnesses, now.timestamp(), offset_s, DEFAULTS.appliance_w, visited)
    found = {"form": profile.FORM, "known": inactivity["known"], "inactivity": inactivity, "routine": habits}
    connection.execute(QUERIES["keep_profile"], {"home_id": home_id, "now": now, "data": Jsonb(found)})
    return found


def remember_home(
    connection: Connection, home_id: int, now: datetime, zone_offset_s: float, visited: Past = NO_VISITS
) -> tuple[Memory, float]:
    """Brings a home's memory up to `now` and keeps it. Also gives the share of quarters in which it was heard."""
    row = connection.execute(QUERIES["memory"], {"home_id": home_id}).fetchone()
    before = profile.read_memory(row["data"] if row else None)
    since = memory.read_from(before, now.timestamp())
    rows = connection.execute(QUERIES["quarters"], {"home_id": home_id, "since": since, "now": now}).fetchall()
    quarters = np.array([one["quarter"] for one in rows], dtype=np.float64)
    meter = _only_meter(connection, home_id)
    holes = coverage.holes(quarters)
    if meter is None:
        signs = read_signs(connection, home_id, since, now.timestamp())
    else:
        signs, outages = metered.learn(connection, home_id, meter, since, now.timestamp(), zone_offset_s)
        holes = np.concatenate([holes, outages])
    after = memory.remember(before, signs, now.timestamp(), holes, visited)
    connection.execute(QUERIES["keep_memory"], {"home_id": home_id, "data": Jsonb(profile.write_memory(after))})
    return after, coverage.spoken(quarters)


def _only_meter(connection: Connection, home_id: int) -> int | None:
    """The mains meter of a home in which nothing else shows life; of several the first, as in `metered_homes`."""
    sensors = connection.execute(QUERIES["sensors_of_life"], {"home_id": home_id}).fetchall()
    if any(row["kind"] in LIFE_KINDS for row in sensors):
        return None
    return next((row["id"] for row in sensors if row["kind"] == DeviceKind.METER), None)


def read_signs(connection: Connection, home_id: int, since: float, until: float) -> Signs:
    """A home's signs of life in a span, epoch seconds, as measured."""
    sensors = connection.execute(QUERIES["sensors_of_life"], {"home_id": home_id}).fetchall()
    place = {row["id"]: at for at, row in enumerate(sensors)}
    asked = {"home_id": home_id, "since": since, "until": until, "on_change": ON_CHANGE, "turned_on": TURNED_ON}
    rows = [row for row in connection.execute(QUERIES["signs_of_life"], asked) if row["device_id"] in place]
    return signs_of(
        np.array([row["time"] for row in rows], dtype=np.float64),
        np.array([place[row["device_id"]] for row in rows], dtype=np.int64),
        np.array([row["metric"] for row in rows], dtype=np.int64),
        np.array([row["value"] for row in rows], dtype=np.float64),
        np.array([row["exterior"] for row in sensors], dtype=np.bool_),
        room_codes(np.array([row["room"] for row in sensors], dtype=np.object_)),
    )
