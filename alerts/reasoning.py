"""Why a home is, or was, found inactive or not: every number behind the verdict at one moment.

By the same functions as the sweep, from the readings up to that moment and the profile that was in force then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import profile
from alerts.detect import inactivity, memory, personal
from alerts.detect.alike import look_up
from alerts.detect.arrays import Floats
from alerts.detect.coverage import QUARTER_S
from alerts.detect.spells import ROOMS, UNKNOWN, Began, Signs, Spells, beginnings, spells_of
from alerts.learn import read_signs
from alerts.lifecycle import home_policy
from alerts.observe.homes import SPEAKS_S
from alerts.policy import Policy
from core.errors import NotFound
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LOOK_BACK: Final = timedelta(days=4)


@dataclass(frozen=True)
class Reasoning:
    """One home at one moment. Moments are epoch seconds, spans seconds; NaN = not known, inf = for ever.

    Attributes:
        at: the moment. life_at: the last sign of life before it; room: its kind, "" = unknown.
        began: how the silence began; None = there was no sign of life.
        unseen_s: how much of the silence was not received.
        personal_s: the personal limit; limit_s: what holds, with floor and rule.
        alike, shorter, usual_s: of so many spells that began so at this hour so many were no longer than `usual_s`.
        part: the profile's inactivity part; version and fitted_at say which; None = there was none.
        signs: the signs of life of the last days.
        spells_s: lengths of the quiet spells that began so, of the home's memory, with their clock hours.
    """

    home: str
    zone: str
    at: float
    life_at: float
    room: str
    began: Began | None
    unseen_s: float
    personal_s: float
    limit_s: float
    alike: float
    shorter: float
    usual_s: float
    version: int | None
    fitted_at: datetime | None
    part: dict[str, Any] | None
    policy: Policy
    signs: Signs
    spells_hour: Floats
    spells_s: Floats

    @property
    def silence_s(self) -> float:
        return self.at - self.life_at - self.unseen_s

    @property
    def due_at(self) -> float:
        """When the alarm is due if nothing moves; inf = never."""
        return self.life_at + self.unseen_s + self.limit_s

    @property
    def inactive(self) -> bool:
        return bool(self.silence_s >= self.limit_s)


def reason(connection: Connection, home: str, at: datetime) -> Reasoning:
    """The reasoning about a home, by key or number, at a moment; one without a zone is the home's wall time.

    Raises:
        NotFound: there is no such home.
    """
    row = connection.execute(QUERIES["home_named"], {"home": home}).fetchone()
    if row is None:
        raise NotFound(f"there is no home {home!r}: give its key, or its number as the register's order has it")
    at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(row["zone"]))
    learned = connection.execute(QUERIES["profile_at"], {"home_id": row["id"], "at": at}).fetchone()
    part = profile.part_of(learned["data"]) if learned else None
    offset = (at.astimezone(ZoneInfo(row["zone"])).utcoffset() or timedelta()).total_seconds()
    policy = home_policy(connection, row["id"]).policy
    moment = at.timestamp()
    signs = read_signs(connection, row["id"], (at - LOOK_BACK).timestamp(), moment)
    last = len(signs) - 1
    life_at = float(signs.time[last]) if len(signs) else np.nan
    began = beginnings(signs)[-1:] if len(signs) else np.zeros(1, np.int8)
    table = profile.read([part], [learned["version"] if learned else None])
    when = np.array([life_at])
    personal_s = personal.limit_s(table.minutes, when, began, offset) * policy.inactivity_stretch
    longest = policy.inactivity_s if signs.exterior.any() else max(policy.inactivity_s, policy.not_returned_s)
    allowed = inactivity.allowed_s(
        personal_s, began, *(np.array([one]) for one in (policy.inactivity_floor_s, policy.inactivity_s, longest))
    )
    near = [look_up(one, began, when, np.array([offset]))[0]
            for one in (table.alike.count, table.alike.shorter, table.alike.usual_min)]  # fmt: skip
    spells = _spells(connection, row["id"], signs, moment)
    mine = spells.began == began[0]
    return Reasoning(
        home=row["key"],
        zone=row["zone"],
        at=moment,
        life_at=life_at,
        room=str(ROOMS[signs.room[last]]) if len(signs) and signs.room[last] != UNKNOWN else "",
        began=Began(began[0]) if len(signs) else None,
        unseen_s=_unseen_s(connection, row["id"], at, life_at, bool(table.speaks[0]), _radio(learned)),
        personal_s=float(personal_s[0]),
        limit_s=float(allowed[0]),
        alike=float(near[0]),
        shorter=float(near[1]),
        usual_s=float(near[2]) * 60,
        version=learned["version"] if learned else None,
        fitted_at=learned["fitted_at"] if learned else None,
        part=dict(part) if part is not None else None,
        policy=policy,
        signs=signs,
        spells_hour=((spells.at[mine] + offset) % memory.DAY_S) / 3600,
        spells_s=spells.length_s[mine],
    )


def _spells(connection: Connection, home_id: int, signs: Signs, moment: float) -> Spells:
    """Those of the home's memory that ended before the moment; without a memory those of the last days."""
    row = connection.execute(QUERIES["memory"], {"home_id": home_id}).fetchone()
    kept = profile.read_memory(row["data"] if row else None).spells
    ended = kept.at + kept.length_s <= moment
    return kept.take(ended) if ended.any() else spells_of(signs, memory.HALF_S)


def _radio(learned: Mapping[str, Any] | None) -> bool:
    """Whether the home's sensors, too, usually send something in every quarter of an hour."""
    radio_s = ((learned["data"].get("routine") or {}) if learned else {}).get("radio_s")
    return radio_s is not None and radio_s <= SPEAKS_S


def _unseen_s(connection: Connection, home_id: int, at: datetime, life_at: float, speaks: bool, radio: bool) -> float:
    if not (speaks or radio) or np.isnan(life_at):
        return 0.0
    asked = {"homes": [home_id], "since": [life_at], "radio": [radio], "now": at}
    received = sum(row["quarters"] for row in connection.execute(QUERIES["received_since"], asked))
    whole = max(at.timestamp() // QUARTER_S - life_at // QUARTER_S - 1, 0)
    return float(max(whole - received, 0) * QUARTER_S)
