"""Why a home is, or was, found inactive or not: every number behind the verdict at one moment.

Hindsight shows what the sweep saw: the readings that had been stored by then, the profile that was in force, the
home's policy with what its false alarms have made of it, and what was planned. What a meter's steps mean is known as
of today only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import calibrate, doubts, metered, profile
from alerts.detect import cannot_watch, inactivity, memory
from alerts.detect.arrays import Devices, Floats, Homes
from alerts.detect.coverage import QUARTER_S
from alerts.detect.spells import Began, Signs, Spells, how_began, room_codes, spells_of
from alerts.detect.visits import Visited, last_signs, maybe_carers
from alerts.doubts import Doubt
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import READING, Readings
from alerts.hindsight.register import Register
from alerts.hindsight.stored import homes_of, readings_from, register_from
from alerts.lifecycle import home_policy
from alerts.observe import View
from alerts.observe.homes import SPEAKS_S
from alerts.observe.homes import personal_s as usual_s
from alerts.planned import Planned, load_plans
from alerts.policy import Policy
from alerts.visits import VisitLog, load_log
from core.errors import NotFound
from core.metrics import BY_NAME
from core.model import AlertKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "reasoning.sql")
LEARN: Final = load_queries(__package__, "learn.sql")
METERED: Final = load_queries(__package__, "metered.sql")
LOOK_BACK: Final = timedelta(days=15)  # a sensor that is silent for longer no longer counts as lately broken
UNDER_WAY_S: Final = 60.0  # so long a reading may take without being late
DRAWN: Final = timedelta(days=4)
RESTS: Final = {Began.RESTING, Began.DOOR_RESTING}


@dataclass(frozen=True)
class Reasoning:
    """One home at one moment. Moments are epoch seconds, spans seconds; NaN = not known, inf = for ever.

    Attributes:
        at: the moment. life_at: the last sign of life before it; room: its kind, "" = unknown.
        said: how the silence began by what the sensors said; began: how it was judged to have, which is another where a
            door or a bed cannot say; mute: the sensors that cannot. None = there was no sign of life.
        unseen_s: how much of the silence could not be seen, holes: (from, until) of these times: nothing was received,
            or, with `stood`, the meter that alone shows life there said nothing, or nothing new.
        said_s, began_s: what the profile says of a silence that began so. learned_s: the latter, after a hole the
            longest limit of those that begin at its end; personal_s: the same, stretched by the policy and doubled
            where a motion sensor is not believed; limit_s: with floor and rule.
        doubled: whether it is doubled; doubts: the motion sensors that are known to be why.
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
    said: Began | None
    began: Began | None
    mute: Sequence[Doubt]
    unseen_s: float
    holes: Sequence[tuple[float, float]]
    stood: bool
    said_s: float
    began_s: float
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
        raise NotFound(f"the home {row['key']!r} has no gateway in use: nothing watches it")
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
    offset = (at.astimezone(ZoneInfo(row["zone"])).utcoffset() or timedelta()).total_seconds()
    said, began = _began(hindsight, view.homes, visited, offset)
    names = {one["id"]: one["address"] for one in connection.execute(QUERIES["device_names"], {"home_id": row["id"]})}
    routine = (learned["data"].get("routine") or {}) if learned else {}

    def usual(began: Began | None, unseen_s: float) -> float:
        if began is None:
            return np.nan
        code, unseen = np.array([began], dtype=np.int8), np.array([unseen_s])
        return float(usual_s(table, homes.life_at, code, unseen, np.array([offset]))[0])

    unseen_s = float(homes.unseen_s[0])
    holes = _holes(hindsight, routine, float(homes.life_at[0]), moment) if unseen_s > 0 else []
    not_shown = hindsight.meters.not_shown(0, float(homes.life_at[0]), moment)
    # The longer of the two is what was taken off (observe/homes.py).
    stood = sum(until - since for since, until in not_shown) > sum(until - since for since, until in holes)
    learned_s = usual(began, unseen_s)
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
        said=said,
        began=began,
        mute=[] if said is began else _mute(moment, view.devices, names, said, began),
        unseen_s=unseen_s,
        holes=not_shown if stood else holes,
        stood=stood,
        said_s=usual(said, 0.0),
        began_s=usual(began, 0.0),
        learned_s=learned_s,
        personal_s=personal_s,
        limit_s=float(inactivity.limit_s(homes)[0]),
        doubled=doubled,
        doubts=doubts.of_movers(moment, view.devices, names, policy, routine) if doubled else [],
        false_alarms=false_alarms,
        watched=bool(cannot_watch.watched(moment, homes)[0]),
        seen_until=float(homes.seen_until[0]),
        visit_from=float(np.where(mattered, visited.from_at, np.nan)[0]),
        visit_until=float(np.where(mattered, visited.until_at, np.nan)[0]),
        absent=_absent(load_plans(connection, [row["id"]], at, at).at(at), row["id"], float(homes.life_at[0]), view),
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
    hindsight.meters.know(0, metered.habits_of(habits), start)
    hindsight.feed(readings)
    return hindsight


def _began(
    hindsight: Hindsight, homes: Homes, visited: Visited, offset_s: float
) -> tuple[Began | None, Began | None]:  # fmt: skip
    """How the silence began by what the sensors and a carer said, and how it was judged to have begun."""
    if np.isnan(homes.life_at[0]):
        return None, None
    told = hindsight.states.home_columns(np.array([offset_s]))
    life_at = np.fmax(told["life_at"], hindsight.meters.life_at)
    last = last_signs(visited, life_at, told["door_at"], told["inside_at"])
    said = how_began(last.life_at, last.door_at, last.inside_at, told["resting"], room_codes(homes.life_room))
    return Began(said[0]), Began(homes.began[0])


def _mute(
    moment: float, devices: Devices, names: Mapping[int, str], said: Began | None, judged: Began | None
) -> list[Doubt]:
    """The sensors that could not say how the silence began: a door's for an outing, a bed's for the rest."""
    doors = doubts.of_doors(moment, devices, names) if judged is Began.LEFT else []
    beds = doubts.of_beds(moment, devices, names) if {said, judged} & RESTS or not doors else []
    return [*doors, *beds]


def _holes(
    hindsight: Hindsight, routine: Mapping[str, Any], life_at: float, moment: float
) -> Sequence[tuple[float, float]]:
    """The times since then in which nothing was received, by the same sums that the silence was judged by."""
    sums = hindsight.sums
    radio = (routine.get("radio_s") or np.inf) <= SPEAKS_S
    heard = sums.start + np.flatnonzero((sums.radio if radio else sums.seen)[0]) * QUARTER_S
    return doubts.holes_of(heard.tolist(), life_at, moment, QUARTER_S)


def _absent(planned: Planned, home_id: int, life_at: float, view: View) -> str | None:
    """The kind of the absence that mutes a silence since `life_at`."""
    if np.isnan(life_at):
        return None
    cause = planned.cause_of(AlertKind.INACTIVITY, home_id, datetime.fromtimestamp(life_at, UTC), view.carers)
    kinds = {f"absence:{row['id']}": str(row["kind"]) for row in planned.absences.get(home_id, ())}
    return kinds.get(cause or "")


def _spells(connection: Connection, home_id: int, signs: Signs, moment: float) -> Spells:
    """Those of the home's memory that ended before the moment; without a memory those of the last days."""
    row = connection.execute(LEARN["memory"], {"home_id": home_id}).fetchone()
    kept = profile.read_memory(row["data"] if row else None).spells
    ended = kept.at + kept.length_s <= moment
    return kept.take(ended) if ended.any() else spells_of(signs, memory.HALF_S)
