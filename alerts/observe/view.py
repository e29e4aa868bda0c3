"""What one tick sees, read from the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import calibrate, metered, profile, visits
from alerts.detect import arrays
from alerts.detect.aftermath import Aftermath
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.observe import columns as of
from alerts.observe import devices as device_arrays
from alerts.observe import homes as home_arrays
from alerts.observe import supplies
from alerts.observe.columns import Columns, Rows
from alerts.observe.policies import policies_of
from alerts.observe.slow import KINDS, Slow, slow
from alerts.observe.whereabouts import room_kinds
from alerts.policy import DEFAULTS, Policy
from alerts.routine import table_of
from alerts.slices import ALL
from core.metrics import BY_NAME
from core.model import AlertKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
URGENT: Final = load_queries("alerts", "urgent.sql")
_OF_HOMES: Final = (
    "life_at", "door_at", "inside_at", "away_until", "radio_s", "blinded", "meter_changed_at", "meter_still_s",
)  # fmt: skip
_OF_DEVICES: Final = ("registered_at", "last_at", "gone_at", "limit_s", "somebody_s", "standing_since")
SLOW_S: Final = 60.0  # between two looks at rooms, doors, supplies and sensors


@dataclass(frozen=True)
class View:
    """What one tick sees.

    Attributes:
        aftermath: what followed each of `events`.
        slow: the minute's look; None in the ticks between.
        looked: the kinds that this tick looks for: what it does not look for it does not end either.
        policies: home id -> what holds for it. A home that is not here has no gateway: defaults.
        raised: (home id, kind) -> false alarms of the last 30 days that made the home's limits longer.
        zones: home id -> IANA zone.
        there: home id -> the visit, or the alert on site, of homes in which somebody is besides the resident.
        carers: homes whose last sign of life may be a carer's who has not met the resident.
        open: the alerts that are not resolved.
    """

    homes: arrays.Homes
    devices: arrays.Devices
    gateways: arrays.Gateways
    events: arrays.UrgentEvents
    aftermath: Aftermath
    slow: Slow | None
    looked: frozenset[AlertKind]
    policies: Mapping[int, Policy]
    raised: Mapping[tuple[int, AlertKind], int]
    zones: Mapping[int, str]
    there: Mapping[int, str]
    carers: Set[int]
    open: Rows

    def policy(self, home_id: int) -> Policy:
        return self.policies.get(home_id, DEFAULTS)


def observe(connection: Connection, now: datetime, slack_s: float = 0.0, slices: Sequence[int] = ALL) -> View:
    """Reads everything that one tick of these slices needs, and claims their urgent events until the transaction ends.

    Args:
        slack_s: how long a reading may be under way, seconds of the platform's clock.
    """
    present = now.timestamp()
    mine = {"now": now, "slices": list(slices)}
    urgent = connection.execute(URGENT["claim_urgent_events"], mine).fetchall()
    regions = connection.execute(QUERIES["regions"]).fetchall()
    due = connection.execute(QUERIES["claim_look"], mine | {"every": timedelta(seconds=SLOW_S)}).fetchone() is not None
    if due:
        metered.follow(connection, now, slices)
    home_rows = connection.execute(QUERIES["homes"], mine).fetchall()
    raised = _raised(connection, now)
    policies = _calibrated(policies_of(regions, home_rows), raised)
    gateway_columns = _gateway_columns(connection.execute(QUERIES["gateways"], mine).fetchall())
    device_columns = _device_columns(connection.execute(QUERIES["devices"], mine).fetchall())
    home_columns = _home_columns(home_rows, now)

    def limits(home_id: Ints) -> Columns:
        return of.limits([policies.get(int(home), DEFAULTS) for home in home_id])

    home_limits, device_limits = limits(home_columns["id"]), limits(device_columns["home_id"])
    behind = of.rows_of(gateway_columns["id"], device_columns["gateway_id"])
    at = of.rows_of(home_columns["id"], device_columns["home_id"])
    gateway_at = of.rows_of(home_columns["id"], gateway_columns["home_id"])
    devices = device_arrays.devices(device_columns, gateway_columns, behind, device_limits)
    known = profile.read([row["inactivity"] for row in home_rows], [row["version"] for row in home_rows])

    def received(home_id: Ints, since: Floats, radio: Bools) -> Ints:
        return _received(connection, now, home_id, since, radio)

    log, longest_s = visits.load_now(connection, now, slices), home_limits["visit_s"]
    visited = log.visited(home_columns["id"], present, longest_s)
    homes = home_arrays.homes(
        present, home_columns, known, devices, at, gateway_columns, gateway_at, home_limits, received, visited, slack_s
    )
    minute = None
    if due:
        minute = slow(
            present,
            device_columns | _value_columns(connection.execute(QUERIES["device_values"], mine).fetchall()),
            devices,
            at,
            homes,
            table_of(homes.home_id, _routines(connection, slices, homes.home_id)),
            home_columns["zone_offset_s"],
            home_limits,
            device_limits,
            lambda device_id, quarters: _grid(connection, now, device_id, quarters),
            lambda home_id, since: bath_moves(connection, now, home_id, since),
            visited,
            lambda home_id, before: _day_before(connection, home_id, before),
            slack_s,
        )
    return View(
        homes=homes,
        devices=devices,
        gateways=device_arrays.gateways(gateway_columns, limits(gateway_columns["home_id"])),
        events=device_arrays.events(_event_columns(urgent), limits(of.ints(urgent, "home_id"))),
        aftermath=_aftermath(connection, urgent),
        slow=minute,
        looked=frozenset(AlertKind) if minute else frozenset(AlertKind) - KINDS,
        policies=policies,
        raised=raised,
        zones={row["id"]: row["zone"] for row in home_rows},
        there=log.there(home_columns["id"], present, longest_s),
        carers=home_arrays.of_carers(visited, homes),
        open=connection.execute(QUERIES["open_alerts"], mine).fetchall(),
    )


def _raised(connection: Connection, now: datetime) -> dict[tuple[int, AlertKind], int]:
    asked = {"since": now - calibrate.LOOK_BACK, "kinds": [kind.value for kind in calibrate.FIELDS]}
    rows = connection.execute(QUERIES["false_alarms"], asked).fetchall()
    return {(row["home_id"], AlertKind(row["kind"])): row["n"] for row in rows}


def _calibrated(policies: dict[int, Policy], raised: Mapping[tuple[int, AlertKind], int]) -> dict[int, Policy]:
    by_home: defaultdict[int, dict[AlertKind, int]] = defaultdict(dict)
    for (home, kind), count in raised.items():
        by_home[home][kind] = count
    return policies | {home: calibrate.calibrated(policies[home], counts) for home, counts in by_home.items()
                       if home in policies}  # fmt: skip


def _gateway_columns(rows: Rows) -> dict[str, Any]:
    return {name: of.ints(rows, name) for name in ("id", "home_id")} | {
        "online": of.bools(rows, "online"),
        **{name: of.floats(rows, name) for name in ("since", "heard_at", "measured_until")},
    }


def _device_columns(rows: Rows) -> dict[str, Any]:
    kind, room = of.texts(rows, "kind"), of.texts(rows, "room")
    return {
        **{name: of.ints(rows, name) for name in ("id", "home_id", "gateway_id")},
        "kind": kind,
        "room": room,
        **room_kinds(room),
        "life": device_arrays.witnesses(kind, of.ints(rows, "home_id")),
        **{name: of.bools(rows, name) for name in ("mains", "exterior", "with_hub")},
        **{name: of.floats(rows, name) for name in _OF_DEVICES},
    }


def _value_columns(rows: Rows) -> dict[str, Any]:
    return {name: of.floats(rows, name) for name in ("value", "time", "changed_at", "life_at")}


def _home_columns(rows: Rows, now: datetime) -> dict[str, Any]:
    offsets = {zone: (now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds()
               for zone in {row["zone"] for row in rows}}  # fmt: skip
    return {
        "id": of.ints(rows, "id"),
        "zone_offset_s": np.array([offsets[row["zone"]] for row in rows], dtype=np.float64),
        "life_room": of.texts(rows, "life_room"),
        **{name: of.floats(rows, name) for name in _OF_HOMES},
        "resting": of.bools(rows, "resting"),
        "meter_outages": [metered.outages_of(row["meter_outages"]) if row["meter_outages"] else None for row in rows],
    }


def _event_columns(rows: Rows) -> dict[str, Any]:
    return {
        **{name: of.ints(rows, name) for name in ("id", "home_id", "device_id", "metric")},
        "room": of.texts(rows, "room"),
        **{name: of.floats(rows, name) for name in ("time", "value", "off_at")},
    }


def _aftermath(connection: Connection, urgent: Rows) -> Aftermath:
    """Asked of falls only: nothing else waits for what follows."""
    known: dict[int, Mapping[str, Any]] = {}
    falls = [row for row in urgent if row["metric"] == BY_NAME[AlertKind.FALL].id]
    if falls:
        asked = {"ids": [row["id"] for row in falls], "devices": [row["device_id"] for row in falls]}
        known = {row["id"]: row for row in connection.execute(QUERIES["aftermath"], asked)}
    nothing: dict[str, Any] = {"life_at": None, "elsewhere_at": None, "ok_at": None}
    rows = [known.get(row["id"], nothing) for row in urgent]
    followed = (of.floats(rows, name) for name in ("life_at", "elsewhere_at", "ok_at"))
    return Aftermath(of.floats(urgent, "stored_at"), *followed)


def _received(connection: Connection, now: datetime, home_id: Ints, since: Floats, radio: Bools) -> Ints:
    asked = {"homes": home_id.tolist(), "since": since.tolist(), "radio": radio.tolist(), "now": now}
    found = {row["home_id"]: row["quarters"] for row in connection.execute(QUERIES["received_since"], asked)}
    return np.array([found[int(home)] for home in home_id], dtype=np.int64)


def bath_moves(connection: Connection, now: datetime, home_id: Ints, since: Floats) -> tuple[Floats, Ints]:
    """As `observe.whereabouts.Moved` says it."""
    asked = {"homes": home_id.tolist(), "since": since.tolist(), "now": now}
    found = {row["home_id"]: row for row in connection.execute(QUERIES["bath_moves"], asked)}
    rows = [found[int(home)] for home in home_id]
    return of.floats(rows, "first"), of.ints(rows, "hours")


def _day_before(connection: Connection, home_id: Ints, before: Floats) -> Floats:
    """As `observe.whereabouts.DayBefore` says it."""
    asked = {"homes": home_id.tolist(), "before": before.tolist()}
    found = {row["home_id"]: row["quarter"] for row in connection.execute(QUERIES["day_before"], asked)}
    return np.array([found[int(home)] for home in home_id], dtype=np.float64)


def _routines(connection: Connection, slices: Sequence[int], home_id: Ints) -> list[Mapping[str, Any] | None]:
    asked = {"slices": list(slices)}
    found = {row["home_id"]: row["routine"] for row in connection.execute(QUERIES["routines"], asked)}
    return [found.get(int(home)) for home in home_id]


def _grid(connection: Connection, now: datetime, device_id: Ints, quarters: int) -> supplies.Grid:
    """The quarter-hour sums of these devices' main metric."""
    end = supplies.grid_end(now.timestamp())
    rows: Rows = []
    if len(device_id):
        asked = {"devices": device_id.tolist(), "since": end - quarters * supplies.QUARTER_S}
        rows = connection.execute(QUERIES["supply_quarters"], asked).fetchall()
    columns = {"device_id": of.ints(rows, "device_id")}
    floats = {name: of.floats(rows, name) for name in ("bucket", "low", "high")}
    return supplies.grid_of(now.timestamp(), device_id, quarters, columns | floats)
