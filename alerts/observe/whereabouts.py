"""Where the person was last seen, from the states of the home's devices."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from alerts.detect import arrays, cannot_watch, device_silent, inactivity, long_stay
from alerts.detect.arrays import Bools, Floats, Ints, Texts
from alerts.detect.visits import MARGIN_S, Visited, maybe_carers
from alerts.detect.whereabouts import Whereabouts
from alerts.observe.columns import Columns, latest
from alerts.observe.homes import standing
from core.model import DeviceKind, RoomKind

BATH: Final = (RoomKind.BATHROOM, RoomKind.TOILET)
LATELY_S: Final = 5 * 3600.0  # a sensor that was not heard for so long may be dead
STUCK_S: Final = 2 * 3600.0  # a motion sensor that has said "somebody" for so long sees nothing new
NIGHT_ROOMS: Final = (*BATH, RoomKind.BEDROOM)
HOUR_S: Final = 3600
LONG_STAY: Final = ("routine_margin", "long_stay_floor_s", "long_stay_s")
# (home ids, since) -> the first quarter in which somebody moved in the bathroom or toilet, from the one that `since` is
# in (its start, NaN = none), and the hours of the clock in which somebody did, from the first whole quarter after it on
Moved = Callable[[Ints, Floats], tuple[Floats, Ints]]
# (home ids, before) -> the last whole quarter before in which somebody moved in a room of the day; NaN = none that day
DayBefore = Callable[[Ints, Floats], Floats]


def whereabouts(
    now: float, columns: Columns, devices: arrays.Devices, at: Ints, homes: arrays.Homes,
    routines: Mapping[str, Floats], night_out: Bools, blind: Ints, zone_offset_s: Floats, limits: Columns, moved: Moved,
    visited: Visited, day_before: DayBefore, slack_s: float,
) -> Whereabouts:  # fmt: skip
    """One row a home, in the order of `homes`.

    Args:
        columns: of the devices: room, bath and night (see room_kinds), exterior, kind, value, life_at, changed_at.
        at: row of each device's home.
        routines: name -> float64 [homes], scalars of detect.routine.Routine. blind: ids of blind sensors.
        limits: the policy's columns, one row a home.
    """
    count = len(homes.home_id)
    room, life_at, life = columns["room"], columns["life_at"], devices.life & (at >= 0)
    bath = columns["bath"]
    day = life & ~columns["night"]
    stuck = (columns["kind"] == DeviceKind.MOTION) & (columns["value"] > 0) & (now - columns["changed_at"] > STUCK_S)
    stuck |= standing(devices)
    blank = ~(now - columns["last_at"] < LATELY_S)
    alive = device_silent.heard_until(devices) + slack_s >= now
    exterior = columns["exterior"] & (columns["kind"] == DeviceKind.CONTACT) & (at >= 0)
    stands_open = exterior & (columns["value"] > 0) & ~device_silent.gone(devices)
    bath_at = _latest_of(count, at, life_at, life & bath)
    toilet_at = _latest_of(count, at, life_at, life & (room == RoomKind.TOILET))
    # Whoever was met was not alone in the bathroom then.
    elsewhere_at = np.fmax(_latest_of(count, at, life_at, life & ~bath), visited.met_at)
    doubtful = _count_of(count, at, life & ~bath & (stuck | np.isin(devices.device_id, blind))) > 0
    # Asked only of the few homes that it decides about.
    least = long_stay.allowed_s(doubtful, routines["stay_s"], *(limits[name] for name in LONG_STAY))
    asked = np.flatnonzero((bath_at > elsewhere_at) & ~homes.resting & (now - elsewhere_at >= least))
    bath_from, bath_hours = np.full(count, np.nan), np.zeros(count, dtype=np.int64)
    if len(asked):
        bath_from[asked], bath_hours[asked] = moved(homes.home_id[asked], elsewhere_at[asked])
    day_alive = _count_of(count, at, day & alive)
    offset = zone_offset_s
    midnight = np.floor((now + offset) / 86_400) * 86_400 - offset
    return Whereabouts(
        home_id=homes.home_id,
        watched=cannot_watch.watched(now, homes, slack_s),
        seen_since=homes.online_since,
        midnight=midnight,
        out=inactivity.went_out(homes),
        resting=homes.resting,
        life_at=homes.life_at,
        day_at=_risen_at(homes, _latest_of(count, at, life_at, day), midnight, visited, day_before),
        day_sensors=np.where(2 * day_alive >= _count_of(count, at, day), day_alive, 0),
        bath_at=bath_at,
        bath_room=np.where(toilet_at == bath_at, RoomKind.TOILET.value, RoomKind.BATHROOM.value).astype(np.object_),
        elsewhere_at=elsewhere_at,
        bath_from=bath_from,
        bath_hours=bath_hours,
        elsewhere_sensors=_count_of(count, at, life & ~bath & alive),
        elsewhere_whole=_count_of(count, at, life & ~bath & blank) == 0,
        doubtful=doubtful,
        door_at=homes.door_at,
        door_from=routines["door_from"],
        open_since=_latest_of(count, at, columns["changed_at"], stands_open),
        rise_s=routines["rise_s"],
        stay_s=routines["stay_s"],
        away_s=routines["away_s"],
        door_gap_s=routines["door_gap_s"],
        night_out=night_out,
        sensors=homes.life_devices,
        sensors_seen=homes.life_devices_seen,
        margin=limits["routine_margin"],
        **{
            name: limits[name]
            for name in (
                "not_risen_s",
                "not_risen_margin_s",
                "long_stay_s",
                "long_stay_floor_s",
                "night_from_s",
                "night_until_s",
                "left_at_night_s",
                "door_open_s",
                "no_door_s",
            )
        },
    )


def _risen_at(homes: arrays.Homes, day_at: Floats, midnight: Floats, visited: Visited, day_before: DayBefore) -> Floats:
    """float64 [homes]: when the resident was last seen up. What moved in the rooms of the day while a carer was there
    may have been the carer, unless they found the resident well."""
    doubted = np.flatnonzero(maybe_carers(visited, day_at) & (day_at >= midnight) & np.isnan(visited.well_at))
    risen_at = np.fmax(day_at, visited.well_at)
    if len(doubted):
        risen_at[doubted] = day_before(homes.home_id[doubted], visited.from_at[doubted] - MARGIN_S)
    return risen_at


def room_kinds(room: Texts) -> dict[str, Bools]:
    """`bath`: washing happens there; `night`: nobody who is there has risen."""
    return {"bath": np.isin(room, BATH), "night": np.isin(room, NIGHT_ROOMS)}


def _latest_of(count: int, at: Ints, values: Floats, which: Bools) -> Floats:
    return latest(count, np.where(which, at, -1), values)


def _count_of(count: int, at: Ints, which: Bools) -> Ints:
    return np.bincount(at[which], minlength=count).astype(np.int64)
