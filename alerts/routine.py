"""Keeps homes' routines and trends in their profile (`profile.data["routine"]`), and reads them as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from alerts.detect import drift
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.quarters import Quarters
from alerts.detect.routine import MEMORY_DAYS, learn
from alerts.detect.visits import NO_VISITS, Past
from alerts.detect.witnesses import Witnesses, blind, door_from, unlearned
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "learn.sql")
WITNESS_DAYS: Final = MEMORY_DAYS
TREND_DAYS: Final = drift.RECENT_DAYS + drift.EARLIER_DAYS + 2
OF_ROUTINE: Final = ("rise_s", "stay_s", "away_s", "door_gap_s", "dry_s", "radio_s", "base_w")
SCALARS: Final = (*OF_ROUTINE, "blinded", "door_from")  # the last two by detect/witnesses.py


@dataclass(frozen=True)
class RoutineTable:
    """Routines of all homes, one row each, NaN = not known.

    Attributes:
        scalars: name -> float64 [homes]. high_s, high_w: float64 [homes, 24]. night_out: bool [homes, 24].
        trends: of those homes. blind: int64, ids of the devices that seem to be blind (detect/witnesses.py).
    """

    scalars: Mapping[str, Floats]
    high_s: Floats
    high_w: Floats
    night_out: Bools
    trends: drift.Trends
    blind: Ints


def past_of(connection: Connection, home_id: int, now: datetime) -> Quarters:
    """The home's last weeks, from its quarter-hour sums before `now`."""
    rows = connection.execute(
        QUERIES["past_quarters"], {"home_id": home_id, "since": now - timedelta(days=TREND_DAYS), "now": now}
    ).fetchall()

    def floats(name: str) -> Floats:
        return np.array([row[name] for row in rows], dtype=np.float64)

    counts = {name: floats(name).astype(np.int64) for name in ("life", "day", "bath", "kitchen", "door", "radio")}
    return Quarters(quarter=floats("quarter"), power_low=floats("power_low"), water_m3=floats("water_m3"), **counts)


def witnesses_of(connection: Connection, home_id: int, now: datetime) -> Witnesses:
    """When its doors' contacts were heard and its motion sensors saw somebody, in the last weeks before `now`."""
    asked = {"home_id": home_id, "since": now - timedelta(days=WITNESS_DAYS), "now": now}
    rows = connection.execute(QUERIES["witness_quarters"], asked).fetchall()

    def quarters(*, exterior: bool) -> list[Floats]:
        return [np.array(row["quarters"], dtype=np.float64) for row in rows if row["exterior"] is exterior]

    movers = [row["id"] for row in rows if not row["exterior"]]
    return Witnesses(doors=quarters(exterior=True), movers=quarters(exterior=False), mover_ids=movers)


def fit(
    past: Quarters, witnesses: Witnesses, now: float, zone_offset_s: float, appliance_w: float,
    visits: Past = NO_VISITS,
) -> dict[str, Any]:  # fmt: skip
    """What is kept of a home's past, as JSON can hold it: `known`, the routine, the trend; null = not known."""
    routine = learn(past.since(now - MEMORY_DAYS * 86_400), zone_offset_s, appliance_w, visits)
    recent, earlier, sigmas = drift.trend(*drift.days_of(past, zone_offset_s))
    kept: dict[str, Any] = {"known": routine is not None, "fitted_at": now}
    if routine is not None:
        kept |= {name: _plain(getattr(routine, name)) for name in OF_ROUTINE}
        lively = past.quarter[past.life > 0]
        unseeing = blind(lively, witnesses)
        kept["blind"] = [{"device": device, "since": since} for device, since in unseeing.items()]
        kept["blinded"] = unlearned(lively, unseeing.values())
        kept["door_from"] = _plain(door_from(now, witnesses.doors))
        kept |= {name: [_plain(value) for value in getattr(routine, name)] for name in ("high_s", "high_w")}
        kept["night_out"] = routine.night_out.tolist()
    if not np.isnan(sigmas).all():
        kept["trend"] = {
            name: [_plain(value) for value in values]
            for name, values in (("recent", recent), ("earlier", earlier), ("sigmas", sigmas))
        }
    return kept


def table_of(home_id: Ints, kept: Sequence[Mapping[str, Any] | None]) -> RoutineTable:
    """The reverse, for many homes: `kept` one a home, None = nothing yet."""
    count = len(home_id)
    known = [one if one is not None and one.get("known") else {} for one in kept]
    trends = [(one or {}).get("trend", {}) for one in kept]

    def wide(source: Sequence[Mapping[str, Any]], name: str, width: int) -> Floats:
        return np.array([one.get(name) or [None] * width for one in source], dtype=np.float64).reshape(count, width)

    return RoutineTable(
        {name: np.array([one.get(name) for one in known], dtype=np.float64) for name in SCALARS},
        wide(known, "high_s", 24),
        wide(known, "high_w", 24),
        np.array([one.get("night_out") or [False] * 24 for one in known], dtype=np.bool_).reshape(count, 24),
        drift.Trends(
            home_id,
            np.array([(one or {}).get("fitted_at") for one in kept], dtype=np.float64),
            wide(trends, "recent", 4),
            wide(trends, "earlier", 4),
            wide(trends, "sigmas", 4),
        ),
        np.array([sensor["device"] for one in known for sensor in one.get("blind", ())], dtype=np.int64),
    )


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 3)
