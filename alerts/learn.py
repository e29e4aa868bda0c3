"""Learns homes' habits and keeps them, versioned, in `profile`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from psycopg.types.json import Jsonb

from alerts.detect.habits import MEMORY_DAYS, Habits, learn
from alerts.policy import DEFAULTS
from alerts.routine import fit, past_of
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
FORM: Final = 1  # of profile.data


def learn_due(connection: Connection, now: datetime, limit: int = 100) -> int:
    """Learns the habits of up to `limit` homes that are unknown or were learned more than a day ago.

    The caller owns the transaction. Returns how many homes were looked at.
    """
    due = connection.execute(QUERIES["homes_to_learn"], {"now": now, "limit": limit}).fetchall()
    for row in due:
        learn_home(connection, row["id"], row["zone"], now)
    return len(due)


def learn_home(connection: Connection, home_id: int, zone: str, now: datetime) -> Habits | None:
    """Learns one home from its quarter-hour sums before `now` and keeps what it found, also that it is too early."""
    rows = connection.execute(
        QUERIES["quarters"], {"home_id": home_id, "since": now - timedelta(days=MEMORY_DAYS), "now": now}
    ).fetchall()
    offset = now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    found = learn(
        np.array([row["quarter"] for row in rows], dtype=np.float64),
        np.array([row["life"] for row in rows], dtype=np.int64),
        offset.total_seconds(),
    )
    routine = fit(past_of(connection, home_id, now), now.timestamp(), offset.total_seconds(), DEFAULTS.appliance_w)
    kept = write_habits(found) | {"routine": routine}
    connection.execute(QUERIES["keep_profile"], {"home_id": home_id, "now": now, "data": Jsonb(kept)})
    return found


def write_habits(found: Habits | None) -> dict[str, Any]:
    """As `profile.data` holds it; seconds; null = not known."""
    if found is None:
        return {"form": FORM, "known": False}
    return {
        "form": FORM,
        "known": True,
        "days": round(found.days, 2),
        "longest_s": [None if np.isnan(value) else float(value) for value in found.longest_s],
        "longest_any_s": found.longest_any_s,
        "spoken": round(found.spoken, 4),
    }


def read_habits(data: Mapping[str, Any] | None) -> Habits | None:
    """The reverse; None for a home that is not known yet or a form that this code does not read."""
    if data is None or data.get("form") != FORM or not data["known"]:
        return None
    longest = np.array([np.nan if value is None else value for value in data["longest_s"]], dtype=np.float64)
    return Habits(data["days"], longest, data["longest_any_s"], data["spoken"])
