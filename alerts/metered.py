"""Homes with nothing but a smart meter: their signs of life are what is switched (alerts/detect/power.py).

Once a minute the meters' new values are looked at, and kept in `power_life`: the last sign, from where the sweep takes
it like any other home's, and what of the time since could not be seen. Which steps are a person's, and how seldom the
meter speaks, is learned each night and kept there too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from alerts.detect import power
from alerts.detect.arrays import Bools, Floats
from alerts.detect.memory import DAY_S, MEMORY_DAYS
from alerts.detect.power import NO_DAYS, SIZES, Days, Steps, Usual
from alerts.detect.spells import UNKNOWN, Signs
from alerts.slices import ALL
from core.metrics import BY_NAME
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "metered.sql")
POWER: Final = BY_NAME["power"].id
ENERGY: Final = BY_NAME["energy"].id  # of a meter that counts and never says its power
METRICS: Final = {"power": POWER, "energy": ENERGY}
OVERLAP_S: Final = 600.0  # of values that are looked at again, as a rise may lie between two looks, ...
OVERLAP_GAPS: Final = 3.0  # or so many usual gaps, where a meter speaks seldom, ...
OVERLAP_MOST_S: Final = 3 * 3600.0  # at most
FIRST_S: Final = DAY_S  # so far back a home is looked at that was never looked at


@dataclass(frozen=True)
class Habits:
    """What is learned of a home and its meter.

    Attributes:
        by_hour: float64 [SIZES, 24], as power.by_hour; None = nothing yet.
        days: how seldom the meter spoke in the last weeks.
    """

    by_hour: Floats | None = None
    days: Days = NO_DAYS

    @property
    def usual(self) -> Usual:
        return self.days.usual()


@dataclass(frozen=True)
class Followed:
    """How far a home has been looked at, and what was seen. Times are epoch seconds.

    Attributes:
        until: the last value that was looked at; -inf = none.
        life_at: the last sign; NaN = none yet.
        changed_at: since when the meter says nothing new; NaN = it was never heard.
        outages: float64 [outages, 2], from and to: those since `life_at` that are over.
    """

    until: float
    life_at: float
    changed_at: float
    outages: Floats


NEVER: Final = Followed(-np.inf, np.nan, np.nan, np.zeros((0, 2)))


def follow(connection: Connection, now: datetime, slices: Sequence[int] = ALL) -> None:
    """Brings `power_life` of every metered home of these slices up to `now`. The caller owns the transaction."""
    homes = connection.execute(QUERIES["metered_homes"], {"slices": list(slices)} | METRICS).fetchall()
    if not homes:
        return
    before = [followed_of(row) for row in homes]
    usual = [Usual(*(np.nan if row[name] is None else row[name] for name in ("gap_s", "still_s"))) for row in homes]
    since = [look_from(one, often, now.timestamp()) for one, often in zip(before, usual, strict=True)]
    asked = {"devices": [row["device_id"] for row in homes], "since": since, "now": now} | METRICS
    asked["metrics"] = [row["metric"] for row in homes]
    values: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(QUERIES["new_power"], asked):
        values.setdefault(row["device_id"], []).append(row)
    kept: dict[str, list[Any]] = {"homes": [], "until": [], "life_at": [], "changed_at": [], "outages": []}
    for home, one, often in zip(homes, before, usual, strict=True):
        time, watts = shown(*_columns(values.get(home["device_id"], [])), counted=home["metric"] == ENERGY)
        if len(time):
            after = looked(one, time, watts, persons(_counts(home["by_hour"])), often)
            kept["homes"].append(home["home_id"])
            kept["until"].append(after.until)
            kept["life_at"].append(None if np.isnan(after.life_at) else after.life_at)
            kept["changed_at"].append(after.changed_at)
            kept["outages"].append(Jsonb(after.outages.tolist()))
    connection.execute(QUERIES["keep_power_life"], kept)


def look_from(before: Followed, usual: Usual, now: float) -> float:
    """From when on values are looked at, epoch seconds; those of that very moment not."""
    overlap = min(np.fmax(OVERLAP_GAPS * usual.gap_s, OVERLAP_S), OVERLAP_MOST_S)
    return float((before.until if np.isfinite(before.until) else now - FIRST_S) - overlap)


def looked(before: Followed, time: Floats, watts: Floats, mine: Bools, usual: Usual) -> Followed:
    """After a look at these values.

    Args:
        time: epoch seconds, rising, at least one; from `look_from` on, so what was looked at last is among them.
        mine: bool [SIZES], which steps are a person's.
    """
    known = before.changed_at <= time[0] <= before.until  # NaN compares false
    stood_since = before.changed_at if known else np.nan
    seen = power.steps(time, watts, usual, stood_since)
    signs = seen.time[mine[seen.size]]
    changed_at = power.changed_at(time, watts, usual, stood_since)
    found = power.outages(time, watts, usual, stood_since)
    # What began before the value that stood at the last look was over then. NaN compares false.
    over = found[(found[:, 0] < changed_at) & ~(found[:, 0] < before.changed_at)]
    life_at = float(np.fmax(before.life_at, signs[-1] if len(signs) else np.nan))
    outages = np.concatenate([before.outages, over])
    return Followed(
        until=float(np.maximum(time[-1], before.until)),
        life_at=life_at,
        changed_at=changed_at,
        # Of a home with no sign yet none: it has no silence. NaN compares false.
        outages=outages[(outages[:, 1] > life_at) & (outages[:, 1] > time[-1] - MEMORY_DAYS * DAY_S)],
    )


def shown(time: Floats, values: Floats, *, counted: bool) -> tuple[Floats, Floats]:
    """Times and watts of a meter's values; of a counter (kWh) the mean power up to each but the first, and but one with
    which it begins anew: that fall is nobody who switched something off."""
    if not counted:
        return time, values
    elapsed = np.diff(time)
    rows = np.flatnonzero((elapsed > 0) & (np.diff(values) >= 0))
    return time[1:][rows], np.round(np.diff(values)[rows] * 3.6e6 / elapsed[rows])


def persons(by_hour: Floats | None) -> Bools:
    """bool [SIZES]: which steps are a person's. `by_hour`: what is learned, None = nothing yet."""
    return power.persons(np.zeros((SIZES, 24)) if by_hour is None else by_hour)


def nowhere(time: Floats) -> Signs:
    """Signs of life from a meter: in no room, with nobody on a bed or at a door that could tell."""
    none = np.zeros(len(time), np.bool_)
    return Signs(time, none, np.full(len(time), UNKNOWN, np.int8), none)


def learn(
    connection: Connection, home_id: int, device_id: int, since: float, until: float, zone_offset_s: float
) -> tuple[Signs, Floats]:
    """Learns which steps are a person's from those that are new, and gives the span's signs of life and outages."""
    row = connection.execute(QUERIES["power_life"], {"home_id": home_id}).fetchone()
    asked = {"device_id": device_id, "since": since, "until": until} | METRICS
    rows = connection.execute(QUERIES["power_between"], asked).fetchall()
    time, watts = shown(*_columns(rows), counted=bool(rows) and rows[0]["metric"] == ENERGY)
    before_until = row["learned_until"] if row else None
    signs, outages, habits = learned(time, watts, habits_of(row), before_until, since, until, zone_offset_s)
    days = habits.days
    connection.execute(
        QUERIES["keep_power_habits"],
        {
            "home_id": home_id,
            "by_hour": None if habits.by_hour is None else Jsonb(habits.by_hour.tolist()),
            "days": Jsonb([[int(day), *map(_plain, both)] for day, *both in zip(
                days.day, days.gap_s, days.still_s, strict=True)]),
            "gap_s": _plain(habits.usual.gap_s),
            "still_s": _plain(habits.usual.still_s),
            "until": until,
        },
    )  # fmt: skip
    return signs, outages


def learned(
    time: Floats, watts: Floats, before: Habits, before_until: float | None, since: float, until: float,
    zone_offset_s: float,
) -> tuple[Signs, Floats, Habits]:  # fmt: skip
    """The signs of life and the outages in [since, until), and what is known of the home and its meter then.

    Args:
        time, watts: the meter's values of that span, rising.
        before: what was known at `before_until`, epoch seconds; None = nothing.
    """
    days = power.days_of(time, watts)
    whole = days.day * DAY_S >= since  # of the first day, unless it is whole, what is known already is better
    days = before.days.then(Days(days.day[whole], days.gap_s[whole], days.still_s[whole]))
    usual = days.usual()
    seen = power.steps(time, watts, usual)
    learned_until = -np.inf if before_until is None else before_until
    new = seen.time >= learned_until
    if before.by_hour is None:  # never learned: each day is judged by the days before it
        old, found = np.zeros((SIZES, 24)), power.signs(seen, zone_offset_s)
    else:
        old, found = before.by_hour, seen.time[power.persons(before.by_hour)[seen.size]]
    elapsed = max(until - max(learned_until, since), 0.0) / DAY_S
    counts = power.KEEP_A_DAY**elapsed * old + power.by_hour(Steps(seen.time[new], seen.size[new]), zone_offset_s)
    return nowhere(found), power.outages(time, watts, usual), Habits(np.round(counts, 3), days)


def followed_of(row: Mapping[str, Any] | None) -> Followed:
    """Of a row of `power_life`."""
    if row is None or row["until"] is None:
        return NEVER
    return Followed(
        until=row["until"],
        life_at=np.nan if row["life_at"] is None else row["life_at"],
        changed_at=np.nan if row["changed_at"] is None else row["changed_at"],
        outages=outages_of(row["outages"]),
    )


def habits_of(row: Mapping[str, Any] | None) -> Habits:
    """Of a row of `power_life`."""
    if row is None:
        return Habits()
    days = np.array(row["days"] or [], dtype=np.float64).reshape(-1, 3)
    return Habits(_counts(row["by_hour"]), Days(days[:, 0].astype(np.int64), days[:, 1], days[:, 2]))


def outages_of(kept: Any) -> Floats:
    """float64 [outages, 2] of what `power_life.outages` holds; None = none."""
    return np.array(kept or [], dtype=np.float64).reshape(-1, 2)


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, Floats]:
    time, watts = (np.array([row[name] for row in rows], dtype=np.float64) for name in ("time", "value"))
    return time, watts


def _counts(by_hour: Any) -> Floats | None:
    return None if by_hour is None else np.array(by_hour, dtype=np.float64)


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 3)
