"""Homes with nothing but a smart meter: their signs of life are what is switched on (alerts/detect/power.py).

Once a minute the meters' new values are looked at and the last sign kept in `power_life`, from where the sweep takes it
like any other home's. Which steps are a person's is learned each night and kept there too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from alerts.detect import power
from alerts.detect.arrays import Bools, Floats
from alerts.detect.memory import DAY_S
from alerts.detect.power import SIZES, Steps
from alerts.detect.spells import UNKNOWN, Signs
from alerts.slices import ALL
from core.metrics import BY_NAME
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "metered.sql")
POWER: Final = BY_NAME["power"].id
OVERLAP: Final = timedelta(minutes=10)  # of values that are looked at again: a step may lie between two looks
FIRST: Final = timedelta(days=1)  # so far back a home is looked at that was never looked at


def follow(connection: Connection, now: datetime, slices: Sequence[int] = ALL) -> None:
    """Brings `power_life` of every metered home of these slices up to `now`. The caller owns the transaction."""
    homes = connection.execute(QUERIES["metered_homes"], {"slices": list(slices)}).fetchall()
    if not homes:
        return
    since = [(row["until"] or now - FIRST) - OVERLAP for row in homes]
    asked = {"devices": [row["device_id"] for row in homes], "since": since, "now": now, "power": POWER}
    values: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(QUERIES["new_power"], asked):
        values.setdefault(row["device_id"], []).append(row)
    kept: dict[str, list[Any]] = {"homes": [], "until": [], "life_at": []}
    for home in homes:
        mine = values.get(home["device_id"], [])
        if mine:
            kept["homes"].append(home["home_id"])
            kept["until"].append(mine[-1]["time"])
            kept["life_at"].append(last_sign(steps_of(mine), _counts(home["by_hour"])))
    connection.execute(QUERIES["keep_power_life"], kept)


def last_sign(seen: Steps, by_hour: Floats | None) -> float | None:
    """The last of these steps that is a person's; None = none is. `by_hour`: what is learned, None = nothing yet."""
    found = seen.time[persons(by_hour)[seen.size]]
    return float(found[-1]) if len(found) else None


def persons(by_hour: Floats | None) -> Bools:
    """bool [SIZES]: which steps are a person's. `by_hour`: what is learned, None = nothing yet."""
    return power.persons(np.zeros((SIZES, 24)) if by_hour is None else by_hour)


def nowhere(time: Floats) -> Signs:
    """Signs of life from a meter: in no room, with nobody on a bed or at a door that could tell."""
    none = np.zeros(len(time), np.bool_)
    return Signs(time, none, np.full(len(time), UNKNOWN, np.int8), none)


def learn(
    connection: Connection, home_id: int, device_id: int, since: float, until: float, zone_offset_s: float
) -> Signs:
    """Learns which steps are a person's from those that are new, and gives the signs of life in the span."""
    row = connection.execute(QUERIES["power_life"], {"home_id": home_id}).fetchone()
    asked = {"device_id": device_id, "since": since, "until": until, "power": POWER}
    seen = steps_of(connection.execute(QUERIES["power_between"], asked).fetchall())
    before = _counts(row["by_hour"]) if row else None
    signs, counts = learned(seen, before, row["learned_until"] if row else None, since, until, zone_offset_s)
    connection.execute(
        QUERIES["keep_power_habits"],
        {"home_id": home_id, "by_hour": Jsonb(counts.tolist()), "until": until},
    )
    return signs


def learned(
    seen: Steps, before: Floats | None, before_until: float | None, since: float, until: float, zone_offset_s: float
) -> tuple[Signs, Floats]:
    """The signs of life in [since, until), and what is known of the steps then.

    Args:
        seen: the steps of that span.
        before: float64 [SIZES, 24], what was known at `before_until`, epoch seconds; None = nothing.
    """
    learned_until = -np.inf if before_until is None else before_until
    new = seen.time >= learned_until
    # of a home that was never learned each day is judged by the days before it
    found = power.signs(seen, zone_offset_s) if before is None else seen.time[power.persons(before)[seen.size]]
    days = max(until - max(learned_until, since), 0.0) / DAY_S
    old = np.zeros((SIZES, 24)) if before is None else before
    counts = power.KEEP_A_DAY**days * old + power.by_hour(Steps(seen.time[new], seen.size[new]), zone_offset_s)
    return nowhere(found), np.round(counts, 3)


def steps_of(rows: Sequence[Mapping[str, Any]]) -> Steps:
    """Of rows with time and value, oldest first."""
    time = np.array([row["time"] for row in rows], dtype=np.float64)
    watts = np.array([row["value"] for row in rows], dtype=np.float64)
    return power.steps(time, watts) if len(rows) > 1 else Steps(np.zeros(0), np.zeros(0, np.int64))


def _counts(by_hour: Any) -> Floats | None:
    return None if by_hour is None else np.array(by_hour, dtype=np.float64)
