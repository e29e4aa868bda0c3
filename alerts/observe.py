"""The first stage of a tick: what the platform knows now, as the arrays that detectors look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from alerts.detect import arrays, cannot_watch, device_silent, habits
from alerts.detect.arrays import Floats
from alerts.learn import read_habits
from alerts.policy import DEFAULTS, Level, Policy, Resolved, inherit
from core.metrics import METRICS, Life
from core.model import DeviceKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
Rows = Sequence[Mapping[str, Any]]

# Device kinds whose main metric shows life. A plug or a meter is no witness of a person.
LIFE_KINDS: Final = frozenset(
    {DeviceKind.CONTACT, DeviceKind.MOTION, DeviceKind.BED, DeviceKind.SEAT, DeviceKind.RADAR}
)
LIFE_METRICS: Final = tuple(metric.id for metric in METRICS if metric.life is not Life.NEVER)


@dataclass(frozen=True)
class View:
    """What one tick sees.

    Attributes:
        policies: home id -> what holds for it. A home that is not here has no gateway: defaults.
        zones: home id -> IANA zone.
        open: the alerts that are not resolved.
        to_learn: homes whose habits are unknown or more than a day old.
    """

    homes: arrays.Homes
    devices: arrays.Devices
    gateways: arrays.Gateways
    events: arrays.UrgentEvents
    policies: Mapping[int, Policy]
    zones: Mapping[int, str]
    open: Rows
    to_learn: Sequence[int]

    def policy(self, home_id: int) -> Policy:
        return self.policies.get(home_id, DEFAULTS)


def observe(connection: Connection, now: datetime, slack_s: float = 0.0) -> View:
    """Reads everything that one tick needs, and claims the urgent events until the transaction ends.

    Args:
        slack_s: how long a reading may be under way, seconds of the platform's clock.
    """
    urgent = connection.execute(QUERIES["claim_urgent_events"]).fetchall()
    regions = connection.execute(QUERIES["regions"]).fetchall()
    homes = connection.execute(QUERIES["homes"], {"now": now}).fetchall()
    policies = _policies(regions, homes)
    gateway_rows = connection.execute(QUERIES["gateways"]).fetchall()
    gateways = _gateways(gateway_rows, policies)
    devices = _devices(connection.execute(QUERIES["devices"]).fetchall(), gateway_rows, policies)
    return View(
        homes=_homes(connection, now, homes, devices, gateway_rows, policies, slack_s),
        devices=devices,
        gateways=gateways,
        events=_events(urgent, policies),
        policies=policies,
        zones={row["id"]: row["zone"] for row in homes},
        open=connection.execute(QUERIES["open_alerts"]).fetchall(),
        to_learn=[row["id"] for row in homes if row["learn"]],
    )


def _policies(regions: Rows, homes: Rows) -> dict[int, Policy]:
    """Each region is resolved once; most homes set nothing and share their community's."""
    by_id = {row["id"]: row for row in regions}
    resolved: dict[int, Resolved] = {}

    def of_region(region_id: int) -> Resolved:
        if region_id not in resolved:
            row = by_id[region_id]
            above = of_region(row["parent_id"]) if row["parent_id"] is not None else None
            resolved[region_id] = inherit([Level(row["key"], row["policy"])], above)
        return resolved[region_id]

    policies = {}
    for row in homes:
        found = of_region(row["region_id"])
        if row["policy"]:
            found = inherit([Level(row["key"], row["policy"])], found)
        if found.faults:
            structlog.get_logger().warning("policy_fault", home=row["key"], faults=found.faults)
        policies[row["id"]] = found.policy
    return policies


def _events(rows: Rows, policies: Mapping[int, Policy]) -> arrays.UrgentEvents:
    held = [policies.get(row["home_id"], DEFAULTS) for row in rows]
    return arrays.UrgentEvents(
        event_id=_ints(rows, "id"),
        home_id=_ints(rows, "home_id"),
        device_id=_ints(rows, "device_id"),
        metric=_ints(rows, "metric"),
        room=_texts(rows, "room"),
        time=_floats(rows, "time"),
        value=_floats(rows, "value"),
        off_at=_floats(rows, "off_at"),
        late_s=np.array([policy.urgent_late_s for policy in held], dtype=np.float64),
        past_s=np.array([policy.urgent_past_s for policy in held], dtype=np.float64),
    )


def _gateways(rows: Rows, policies: Mapping[int, Policy]) -> arrays.Gateways:
    held = [policies.get(row["home_id"], DEFAULTS) for row in rows]
    return arrays.Gateways(
        gateway_id=_ints(rows, "id"),
        home_id=_ints(rows, "home_id"),
        online=np.array([row["online"] for row in rows], dtype=np.bool_),
        heard_at=_floats(rows, "heard_at"),
        silent_s=np.array([policy.gateway_offline_s for policy in held], dtype=np.float64),
        will_s=np.array([policy.gateway_will_s for policy in held], dtype=np.float64),
    )


def _devices(rows: Rows, gateways: Rows, policies: Mapping[int, Policy]) -> arrays.Devices:
    by_gateway = {row["id"]: row for row in gateways}
    held = [policies.get(row["home_id"], DEFAULTS) for row in rows]
    behind = [by_gateway[row["gateway_id"]] for row in rows]
    return arrays.Devices(
        device_id=_ints(rows, "id"),
        home_id=_ints(rows, "home_id"),
        kind=_texts(rows, "kind"),
        room=_texts(rows, "room"),
        last_at=_floats(rows, "last_at"),
        gone_at=_floats(rows, "gone_at"),
        registered_at=_floats(rows, "registered_at"),
        online_since=_online_since(behind),
        gateway_heard_at=_floats(behind, "heard_at"),
        limit_s=np.array(
            [
                row["limit_s"] or (policy.silent_mains_s if row["mains"] else policy.silent_battery_s)
                for row, policy in zip(rows, held, strict=True)
            ],
            dtype=np.float64,
        ),
        life=np.array([row["kind"] in LIFE_KINDS for row in rows], dtype=np.bool_),
        with_hub=np.array([row["with_hub"] for row in rows], dtype=np.bool_),
    )


def _homes(
    connection: Connection, now: datetime, rows: Rows, devices: arrays.Devices, gateways: Rows,
    policies: Mapping[int, Policy], slack_s: float,
) -> arrays.Homes:  # fmt: skip
    home_id = _ints(rows, "id")
    held = [policies[row["id"]] for row in rows]
    life_at = _floats(rows, "life_at")
    resting = np.array([row["resting"] for row in rows], dtype=np.bool_)
    known = [read_habits(row["habits"]) for row in rows]
    zone_offset_s = _zone_offsets(rows, now)
    usual_s = habits.usual_s(
        np.array([found.longest_s if found else np.full(24, np.nan) for found in known]).reshape(-1, 24),
        np.array([found.longest_any_s if found else np.nan for found in known], dtype=np.float64),
        life_at,
        resting,
        zone_offset_s,
    )
    speaks = np.array([found is not None and found.spoken >= habits.SPOKEN for found in known], dtype=np.bool_)
    # Sensors, summed up for each home. A gateway that is away shows nothing, however young its last readings are.
    place = {home: position for position, home in enumerate(home_id)}
    sensors = np.flatnonzero(devices.life & np.isin(devices.home_id, home_id))
    at = np.array([place[home] for home in devices.home_id[sensors]], dtype=np.int64)
    installed = ~np.isnan(devices.gateway_heard_at[sensors])
    until = np.where(installed, device_silent.heard_until(devices)[sensors], -np.inf)
    until = np.minimum(until, np.where(installed, devices.gateway_heard_at[sensors], -np.inf) + cannot_watch.BEHIND_S)
    seen_until = np.full(len(rows), -np.inf)
    np.maximum.at(seen_until, at, until)
    gateway_at = np.array([place.get(row["home_id"], -1) for row in gateways], dtype=np.int64)
    return arrays.Homes(
        home_id=home_id,
        life_at=life_at,
        life_exterior=np.array([row["life_exterior"] for row in rows], dtype=np.bool_),
        life_room=_texts(rows, "life_room"),
        door_at=_floats(rows, "door_at"),
        resting=resting,
        usual_s=usual_s,
        unseen_s=_unseen_s(connection, now, home_id, life_at, speaks, held),
        life_devices=np.bincount(at, minlength=len(rows)).astype(np.int64),
        life_devices_seen=np.bincount(at, weights=until + slack_s >= now.timestamp(), minlength=len(rows)).astype(
            np.int64
        ),
        seen_until=np.where(np.isinf(seen_until), np.nan, seen_until),
        heard_at=_latest(len(rows), gateway_at, _floats(gateways, "heard_at")),
        online_since=_latest(len(rows), gateway_at, _online_since(gateways)),
        measured_until=_latest(len(rows), gateway_at, _floats(gateways, "measured_until")),
        rule_s=np.array([policy.inactivity_s for policy in held], dtype=np.float64),
        floor_s=np.array([policy.inactivity_floor_s for policy in held], dtype=np.float64),
        margin=np.array([policy.inactivity_margin for policy in held], dtype=np.float64),
        not_returned_s=np.array([policy.not_returned_s for policy in held], dtype=np.float64),
    )


def _unseen_s(
    connection: Connection, now: datetime, home_id: arrays.Ints, life_at: Floats, speaks: arrays.Bools,
    policies: Sequence[Policy],
) -> Floats:  # fmt: skip
    """Empty quarters of the hour since the last sign of life, in seconds.

    Asked only of homes that have been silent for their floor and usually send something in every quarter: of
    others an empty quarter says nothing.
    """
    present = now.timestamp()
    floor = np.array([policy.inactivity_floor_s for policy in policies], dtype=np.float64)
    asked = np.flatnonzero(speaks & (present - life_at >= floor))
    unseen = np.zeros(len(home_id))
    if len(asked):
        rows = connection.execute(
            QUERIES["received_since"],
            {"homes": home_id[asked].tolist(), "since": life_at[asked].tolist(), "now": now},
        ).fetchall()
        received = {row["home_id"]: row["quarters"] for row in rows}
        quarter = habits.QUARTER_S
        # whole quarters between the one that life_at is in and the one that is not over yet
        whole = np.maximum(present // quarter - life_at[asked] // quarter - 1, 0)
        seen = np.array([received[int(home)] for home in home_id[asked]], dtype=np.float64)
        unseen[asked] = np.maximum(whole - seen, 0) * quarter
    return unseen


def _online_since(gateways: Rows) -> Floats:
    return np.array([row["since"] if row["online"] else np.nan for row in gateways], dtype=np.float64)


def _latest(homes: int, at: arrays.Ints, values: Floats) -> Floats:
    """The greatest value of each home; NaN where there is none. `at`: -1 = of no home here."""
    latest = np.full(homes, np.nan)
    known = at >= 0
    np.fmax.at(latest, at[known], values[known])
    return latest


def _zone_offsets(rows: Rows, now: datetime) -> Floats:
    """Seconds east of UTC, now."""
    offsets = {zone: (now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds()
               for zone in {row["zone"] for row in rows}}  # fmt: skip
    return np.array([offsets[row["zone"]] for row in rows], dtype=np.float64)


def _ints(rows: Rows, name: str) -> arrays.Ints:
    return np.array([row[name] for row in rows], dtype=np.int64)


def _floats(rows: Rows, name: str) -> Floats:
    """None becomes NaN."""
    return np.array([row[name] for row in rows], dtype=np.float64)


def _texts(rows: Rows, name: str) -> arrays.Texts:
    return np.array([row[name] for row in rows], dtype=np.object_)
