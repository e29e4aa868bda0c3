"""What is looked at once a minute: rooms, doors, supplies and sensors. A tick that is not due sees none of it.

Everything is put together from columns, wherever they come from: the database (alerts/observe/view.py) or a replay
of stored readings (alerts/hindsight/).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from alerts.detect import arrays, drift
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.sensors import Sensors
from alerts.detect.supplies import Climate, Power, Water
from alerts.detect.visits import Visited
from alerts.detect.whereabouts import Whereabouts
from alerts.observe import supplies
from alerts.observe.columns import Columns
from alerts.observe.devices import sensors
from alerts.observe.supplies import Grid
from alerts.observe.whereabouts import DayBefore, Moved, whereabouts
from alerts.routine import RoutineTable
from core.model import AlertKind, DeviceKind

KINDS: Final = frozenset(
    {
        AlertKind.NOT_RISEN, AlertKind.LONG_STAY, AlertKind.NOT_RETURNED, AlertKind.LEFT_AT_NIGHT,
        AlertKind.DOOR_OPEN, AlertKind.NO_DOOR, AlertKind.APPLIANCE_ON, AlertKind.WATER_LOW,
        AlertKind.WATER_RUNNING, AlertKind.COLD, AlertKind.HEAT, AlertKind.DRIFT, AlertKind.SENSOR_STUCK,
    }
)  # fmt: skip
FLAT_S: Final = 3600.0
Grids = Callable[[Ints, int], Grid]  # (device ids, quarters) -> their quarter-hour sums up to now


@dataclass(frozen=True)
class Slow:
    """The arrays of the minute's look. `away`: homes with their personal limit for an absence."""

    whereabouts: Whereabouts
    away: arrays.Homes
    sensors: Sensors
    power: Power
    water: Water
    climate: Climate
    trends: drift.Trends


def slow(
    now: float, columns: Columns, devices: arrays.Devices, at: Ints, homes: arrays.Homes, routines: RoutineTable,
    zone_offset_s: Floats, home_limits: Columns, device_limits: Columns, grids: Grids, moved: Moved,
    visited: Visited, day_before: DayBefore, slack_s: float,
) -> Slow:  # fmt: skip
    """Puts it together.

    Args:
        columns: of the devices. at: row of each device's home, -1 = none.
        home_limits, device_limits: the policy's columns, one row a home and one row a device.
        zone_offset_s: float64 [homes], seconds east of UTC.
    """
    where = whereabouts(
        now, columns, devices, at, homes, routines.scalars, routines.night_out, routines.blind, zone_offset_s,
        home_limits, moved, visited, day_before, slack_s,
    )  # fmt: skip
    personal = np.minimum(
        home_limits["routine_margin"] * routines.scalars["away_s"], home_limits["not_returned_most_s"]
    )
    return Slow(
        whereabouts=where,
        away=replace(homes, not_returned_s=np.fmax(personal, homes.not_returned_s)),
        sensors=sensors(now, columns, devices, homes, at, device_limits, slack_s),
        power=_power(columns, at, where, routines, zone_offset_s, home_limits, grids),
        water=_water(columns, at, where, routines, home_limits, grids),
        climate=_climate(columns, at, device_limits, grids),
        trends=routines.trends,
    )


def _power(
    columns: Columns, at: Ints, where: Whereabouts, routines: RoutineTable, zone_offset_s: Floats, limits: Columns,
    grids: Grids,
) -> Power:  # fmt: skip
    """Only of meters that show much now: the others need no look at their past."""
    base_w = np.nan_to_num(routines.scalars["base_w"])
    threshold = base_w + limits["appliance_w"]
    meters = np.flatnonzero((columns["kind"] == DeviceKind.METER) & (at >= 0))
    # A value that has not moved by a watt for an hour is no appliance: the meter's hub fills in (sensor_stuck).
    alive = columns["time"][meters] - columns["changed_at"][meters] < FLAT_S
    rows = meters[(columns["value"][meters] >= threshold[at[meters]]) & alive]
    home = at[rows]
    return supplies.power(
        grids(columns["id"][rows], supplies.POWER_QUARTERS),
        {
            "home_id": where.home_id[home],
            "base_w": base_w[home],
            "known": ~np.isnan(routines.scalars["base_w"])[home],
            "still_since": where.life_at[home],
            "out": where.out[home],
            "watched": where.watched[home],
            "margin": where.margin[home],
            "appliance_s": limits["appliance_s"][home],
        },
        columns["value"][rows],
        threshold[home],
        zone_offset_s[home],
        routines.high_s[home],
        routines.high_w[home],
    )


def _water(
    columns: Columns, at: Ints, where: Whereabouts, routines: RoutineTable, limits: Columns, grids: Grids
) -> Water:
    rows = np.flatnonzero((columns["kind"] == DeviceKind.WATER_METER) & (at >= 0))
    home = at[rows]
    of_home: dict[str, Floats | Bools | Ints] = {
        "home_id": where.home_id[home],
        "door_at": where.door_at[home],
        "dry_s": routines.scalars["dry_s"][home],
        "out": where.out[home],
        "watched": where.watched[home],
        **{name: limits[name][home] for name in ("water_low_s", "water_low_m3", "water_running_s", "water_day_m3")},
    }
    return supplies.water(grids(columns["id"][rows], supplies.WATER_QUARTERS), of_home)


def _climate(columns: Columns, at: Ints, limits: Columns, grids: Grids) -> Climate:
    """Only of rooms that are beyond a limit now."""
    of_kind = (columns["kind"] == DeviceKind.CLIMATE) & (at >= 0)
    value = columns["value"]
    rows = np.flatnonzero(of_kind & ((value < limits["cold_c"]) | (value > limits["heat_c"])))
    picked: dict[str, Any] = {
        "home_id": columns["home_id"][rows],
        "room": columns["room"][rows],
        "time": columns["time"][rows],
        "celsius": value[rows],
        **{name: limits[name][rows] for name in ("cold_c", "heat_c", "climate_s")},
    }
    return supplies.climate(grids(columns["id"][rows], supplies.CLIMATE_QUARTERS), picked)
