"""Why a home is, or was, found inactive or not: every number behind the verdict at one moment.

Hindsight shows what the sweep saw: the readings that had been stored by then, the profile that was in force, the
home's policy with what its false alarms have made of it, and what was planned. What a meter's steps mean is known as
of today only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import calibrate, profile
from alerts.detect import cannot_watch, device_silent, inactivity, memory
from alerts.detect.arrays import Devices, Floats
from alerts.detect.spells import Began, Signs, Spells, spells_of
from alerts.detect.visits import maybe_carers
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import READING, Readings
from alerts.hindsight.register import Register
from alerts.hindsight.stored import homes_of, readings_from, register_from
from alerts.lifecycle import home_policy
from alerts.observe.homes import personal_s as usual_s
from alerts.observe.homes import standing
from alerts.planned import Planned, load_plans
from alerts.policy import Policy
from alerts.visits import VisitLog, load_log
from core.errors import NotFound
from core.metrics import BY_NAME
from core.model import AlertKind, DeviceKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "reasoning.sql")
LEARN: Final = load_queries(__package__, "learn.sql")
METERED: Final = load_queries(__package__, "metered.sql")
LOOK_BACK: Final = timedelta(days=15)  # a sensor that is silent for longer no longer counts as lately broken
UNDER_WAY_S: Final = 60.0  # so long a reading may take without being late
DRAWN: Final = timedelta(days=4)


class Trouble(StrEnum):
    """Why a motion sensor is not believed, so that the personal limit is doubled."""

    SILENT = "silent"
    STANDS = "stands"  # says "somebody" without end


@dataclass(frozen=True)
class Doubt:
    """A motion sensor that is not believed: in which room (its kind, "" = unknown), why, and since when."""

    room: str
    trouble: Trouble
    since: float


@dataclass(frozen=True)
class Reasoning:
    """One home at one moment. Moments are epoch seconds, spans seconds; NaN = not known, inf = for ever.

    Attributes:
        at: the moment. life_at: the last sign of life before it; room: its kind, "" = unknown.
        began: how the silence began; None = there was no sign of life.
        unseen_s: how much of the silence was not received.
        learned_s: what the profile says, after a hole the longest limit of those that begin at its end; personal_s: the
            same, stretched by the policy and doubled where a sensor is not believed; limit_s: with floor and rule.
        doubled: whether it is doubled; doubts: the sensors that are known to be why.
        false_alarms: of the 30 days before, by which the home's limits are longer; policy: what they make of it.
        watched: whether silence meant anything. seen_until: until when a sensor of life could be seen.
        visit_from, visit_until: the carer's visit that the silence began with or that mutes it; until inf = it goes on,
            NaN = there is none.
        absent: the kind of the planned absence that mutes it; None = none does.
        came_later: readings that were measured more than a minute before and stored after it: not known to the sweep.
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
    learned_s: float
    personal_s: float
    limit_s: float
    doubled: bool
    doubts: Sequence[Doubt]
    false_alarms: int
    watched: bool
    seen_until: float
    visit_from: float
    visit_until: float
    absent: str | None
    came_later: int
    alike: float
    shorter: float
    usual_s: float
    version: int | None
    fitted_at: datetime | None
    part: Mapping[str, Any] | None
    policy: Policy
    signs: Signs
    spells_hour: Floats
    spells_s: Floats

    @property
    def silence_s(self) -> float:
        return self.at - self.life_at - self.unseen_s

    @property
    def due_at(self) -> float:
        """When the silence is too long if nothing moves; inf = never."""
        return self.life_at + self.unseen_s + self.limit_s

    @property
    def too_long(self) -> bool:
        """Whether the silence was longer than the limit."""
        return bool(self.silence_s >= self.limit_s)

    @property
    def inactive(self) -> bool:
        """Whether that was an alarm: the home could be watched, and nobody had said that its person is away or
        was there."""
        return self.too_long and self.watched and self.absent is None and not np.isinf(self.visit_until)


def reason(connection: Connection, home: str, at: datetime) -> Reasoning:
    """The reasoning about a home, by key or number, at a moment; one without a zone is the home's wall time.

    Raises:
        NotFound: there is no such home, or it has no gateway.
    """
    row = connection.execute(QUERIES["home_named"], {"home": home}).fetchone()
    if row is None:
        raise NotFound(f"there is no home {home!r}: give its key, or its number as the register's order has it")
    known = homes_of(connection, [row["id"]])
    if not known:
        raise NotFound(f"the home {row['key']!r} has no gateway yet: nothing watches it")
    at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(row["zone"]))
    moment = at.timestamp()
    learned = connection.execute(QUERIES["profile_at"], {"home_id": row["id"], "at": at}).fetchone()
    policy, false_alarms = _policy(connection, row["id"], at)
    register = register_from(connection, known, [policy])
    readings, came_later = _readings(connection, register, row["id"], at)
    log = load_log(connection, [row["id"]], at - LOOK_BACK, at)
    hindsight = _as_the_sweep_saw(connection, register, row["id"], learned, readings, log, at)
    view = hindsight.view(moment)
    homes, table = view.homes, hindsight.limits
    visited = log.visited(homes.home_id, moment, np.array([policy.visit_s]))
    mattered = visited.here | (
        ~np.isnan(visited.met_at) & maybe_carers(visited, homes.life_at) & (homes.life_room == "")
    )
    began = Began(homes.began[0]) if not np.isnan(homes.life_at[0]) else None
    offset = (at.astimezone(ZoneInfo(row["zone"])).utcoffset() or timedelta()).total_seconds()
    learned_s = float(usual_s(table, homes.life_at, homes.began, homes.unseen_s, np.array([offset]))[0])
    personal_s = float(homes.personal_s[0])
    # NaN and inf compare false: what is not known, and for ever, cannot be doubled
    doubled = bool(np.isfinite(personal_s) and personal_s > 1.01 * learned_s * policy.inactivity_stretch)
    signs = hindsight.signs_of_life(0, (at - DRAWN).timestamp(), moment)
    spells = _spells(connection, row["id"], signs, moment)
    mine = spells.began == homes.began[0]
    return Reasoning(
        home=row["key"],
        zone=row["zone"],
        at=moment,
        life_at=float(homes.life_at[0]),
        room=str(homes.life_room[0]),
        began=began,
        unseen_s=float(homes.unseen_s[0]),
        learned_s=learned_s,
        personal_s=personal_s,
        limit_s=float(inactivity.limit_s(homes)[0]),
        doubled=doubled,
        doubts=_doubts(moment, view.devices, policy) if doubled else [],
        false_alarms=false_alarms,
        watched=bool(cannot_watch.watched(moment, homes)[0]),
        seen_until=float(homes.seen_until[0]),
        visit_from=float(np.where(mattered, visited.from_at, np.nan)[0]),
        visit_until=float(np.where(mattered, visited.until_at, np.nan)[0]),
        absent=_absent(load_plans(connection, [row["id"]], at, at).at(at), row["id"], float(homes.life_at[0])),
        came_later=came_later,
        alike=float(homes.alike[0]),
        shorter=float(homes.alike_shorter[0]),
        usual_s=float(homes.usual_s[0]),
        version=learned["version"] if learned else None,
        fitted_at=learned["fitted_at"] if learned else None,
        part=profile.part_of(learned["data"]) if learned else None,
        policy=policy,
        signs=signs,
        spells_hour=((spells.at[mine] + offset) % memory.DAY_S) / 3600,
        spells_s=spells.length_s[mine],
    )


def _policy(connection: Connection, home_id: int, at: datetime) -> tuple[Policy, int]:
    """What held for the home, with the limits that its false alarms had made longer, and how many silences were."""
    asked = {"home_id": home_id, "since": at - calibrate.LOOK_BACK, "until": at}
    rows = connection.execute(QUERIES["false_alarms_of"], asked).fetchall()
    counts = {AlertKind(row["kind"]): row["n"] for row in rows}
    policy = calibrate.calibrated(home_policy(connection, home_id).policy, counts)
    return policy, counts.get(AlertKind.INACTIVITY, 0)


def _readings(connection: Connection, register: Register, home_id: int, at: datetime) -> tuple[Readings, int]:
    """The home's last days as they had been stored by then, and how many readings of them came later."""
    readings = readings_from(connection, register, at - LOOK_BACK, at)
    moment = at.timestamp()
    known = readings[readings["stored"] <= moment]
    late = (readings["stored"] > moment) & (readings["time"] < moment - UNDER_WAY_S)
    # How long a device may be silent is said when it has changed, which may be long ago.
    limits = connection.execute(
        QUERIES["silence_limits"], {"home_id": home_id, "before": at - LOOK_BACK, "metric": BY_NAME["silence_limit"].id}
    ).fetchall()
    old = np.zeros(len(limits), READING)
    for place, row in enumerate(limits):
        device = int(np.searchsorted(register.device_id, row["device_id"]))
        told = row["time"], row["time"], row["time"]
        old[place] = (*told, row["value"], device, BY_NAME["silence_limit"].id, False)
    return np.concatenate([old, known]), int(late.sum())


def _as_the_sweep_saw(
    connection: Connection, register: Register, home_id: int, learned: Mapping[str, Any] | None, readings: Readings,
    log: VisitLog, at: datetime,
) -> Hindsight:  # fmt: skip
    """The home as after these readings, judged by the profile in force."""
    start = (at - LOOK_BACK).timestamp()
    hindsight = Hindsight(register, start, at.timestamp(), visits=log, slack_s=0.0)
    hindsight.know([learned["data"] if learned else None], [learned["version"] if learned else None])
    habits = connection.execute(METERED["power_life"], {"home_id": home_id}).fetchone()
    hindsight.meters.know(0, habits["by_hour"] if habits else None, start)
    hindsight.feed(readings)
    return hindsight


def _doubts(moment: float, devices: Devices, policy: Policy) -> list[Doubt]:
    """The motion sensors that are silent, or say "somebody" again and again."""
    stuck = standing(devices)
    silent = (moment > device_silent.heard_until(devices)) | device_silent.gone(devices)
    found = []
    for row in np.flatnonzero(devices.kind == DeviceKind.MOTION).tolist():
        room, last_at = str(devices.room[row]), float(devices.last_at[row])
        stands_s = np.nan if devices.somebody_s is None else float(devices.somebody_s[row])
        if silent[row]:
            found.append(Doubt(room, Trouble.SILENT, last_at))
        elif stuck[row] or stands_s >= policy.inactivity_floor_s:  # NaN compares false
            found.append(Doubt(room, Trouble.STANDS, last_at - stands_s))
    return found


def _absent(planned: Planned, home_id: int, life_at: float) -> str | None:
    """The kind of the absence that mutes a silence since `life_at`."""
    if np.isnan(life_at):
        return None
    cause = planned.cause_of(AlertKind.INACTIVITY, home_id, datetime.fromtimestamp(life_at, UTC))
    kinds = {f"absence:{row['id']}": str(row["kind"]) for row in planned.absences.get(home_id, ())}
    return kinds.get(cause or "")


def _spells(connection: Connection, home_id: int, signs: Signs, moment: float) -> Spells:
    """Those of the home's memory that ended before the moment; without a memory those of the last days."""
    row = connection.execute(LEARN["memory"], {"home_id": home_id}).fetchone()
    kept = profile.read_memory(row["data"] if row else None).spells
    ended = kept.at + kept.length_s <= moment
    return kept.take(ended) if ended.any() else spells_of(signs, memory.HALF_S)
