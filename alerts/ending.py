"""Alerts that end by themselves, because what raised them is over. SOS, fall, smoke and gas need a person."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from alerts.detect import cannot_watch, inactivity
from alerts.detect.findings import Finding, moment
from alerts.lifecycle import announce, end_itself, record
from alerts.observe import View
from alerts.quiet import tell_at
from core.model import AlertKind, AlertState, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
EQUIPMENT: Final = frozenset(
    {AlertKind.DEVICE_SILENT, AlertKind.HUB_DOWN, AlertKind.GATEWAY_OFFLINE, AlertKind.CANNOT_WATCH}
)
# These hold for as long as they are found; but where nobody can look, what was found still stands.
CONDITION: Final = frozenset(
    {
        AlertKind.NOT_RISEN, AlertKind.LONG_STAY, AlertKind.LEFT_AT_NIGHT, AlertKind.DOOR_OPEN, AlertKind.NO_DOOR,
        AlertKind.APPLIANCE_ON, AlertKind.WATER_LOW, AlertKind.WATER_RUNNING, AlertKind.COLD, AlertKind.HEAT,
        AlertKind.DRIFT, AlertKind.SENSOR_STUCK,
    }
)  # fmt: skip
SILENCE: Final = frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RETURNED})
OF_A_DEVICE: Final = frozenset({AlertKind.SENSOR_STUCK, AlertKind.TAMPER})  # over when it was taken away
STATE: Final = frozenset({AlertKind.LEAK, AlertKind.TAMPER})
SAME: Final = timedelta(seconds=1)


def end(connection: Connection, now: datetime, view: View, findings: Sequence[Finding]) -> list[int]:
    """Ends what is over. `findings` are all of this tick, muted ones too: a muted finding still holds.

    Returns the ids of the alerts ended.
    """
    found = {finding.dedup_key for finding in findings}
    seen = seen_homes(view, now)
    ended: list[int] = []
    for alert in view.open:
        kind = AlertKind(alert["kind"])
        if is_over(kind, alert["dedup_key"], alert["home_id"], found, view.looked, seen):
            ended += _end(connection, now, view, alert)
        elif kind in SILENCE:
            ended += _life(connection, now, view, alert)
    states = [alert for alert in view.open if alert["kind"] in STATE]
    if states:
        ended += _cleared(connection, now, view, states)
    of_devices = [alert for alert in view.open if alert["kind"] in OF_A_DEVICE and alert["id"] not in ended]
    if of_devices:
        ended += _taken_away(connection, now, view, of_devices)
    return ended


def seen_homes(view: View, now: datetime) -> set[int]:
    """The homes that can be watched now."""
    watched = cannot_watch.watched(now.timestamp(), view.homes)
    return set(view.homes.home_id[watched].tolist())


def is_over(
    kind: AlertKind, dedup_key: str, home_id: int, found: Container[str], looked: Container[AlertKind],
    seen: Container[int],
) -> bool:  # fmt: skip
    """Whether an alert of this kind ends because it is found no more.

    Args:
        found: dedup keys of this tick's findings, muted ones too. looked: kinds that the tick looked for.
        seen: homes that can be watched now.
    """
    if dedup_key in found or kind not in looked:
        return False
    return kind in EQUIPMENT or (kind in CONDITION and home_id in seen)


def _life(connection: Connection, now: datetime, view: View, alert: Mapping[str, Any]) -> list[int]:
    """A silence ends with a sign of life, never because the home can no longer be seen.

    Somebody who holds the alert or is on site may be the one who moves there: it stays theirs to resolve.
    """
    place = np.flatnonzero(view.homes.home_id == alert["home_id"])
    if not len(place) or np.isnan(view.homes.life_at[place[0]]):
        return []
    life_at = moment(float(view.homes.life_at[place[0]]))
    if life_at - alert["began_at"] <= SAME:
        return []
    alert = _locked(connection, alert)
    if not alert or life_at - alert["began_at"] <= SAME:
        return []
    details = {"life_at": life_at.isoformat(timespec="seconds")}
    late = life_at < alert["opened_at"]
    limit = float(inactivity.limit_s(view.homes)[place[0]])
    silent_still = late and now - life_at >= timedelta(seconds=limit)
    if alert["state"] == AlertState.OPEN and not silent_still:
        what = {"late": True} if late else {}
        end_itself(connection, alert["id"], alert["home_id"], now, details | what, _tell_at(now, view, alert))
        return [alert["id"]]
    if silent_still:
        connection.execute(QUERIES["move_beginning"], {"id": alert["id"], "began_at": life_at})
        record(connection, alert["id"], now, "life_late", details)
        announce(connection, alert["id"], alert["home_id"])
    else:
        once = {"alert_id": alert["id"], "at": now, "what": "life_again", "details": Jsonb(details)}
        if connection.execute(QUERIES["add_event_once"], once).rowcount:
            announce(connection, alert["id"], alert["home_id"])
    return []


def _cleared(connection: Connection, now: datetime, view: View, alerts: Sequence[Mapping[str, Any]]) -> list[int]:
    rows = connection.execute(QUERIES["cleared_alerts"], {"ids": [alert["id"] for alert in alerts]}).fetchall()
    cleared = {row["id"] for row in rows}
    return [done for alert in alerts if alert["id"] in cleared for done in _end(connection, now, view, alert)]


def _taken_away(connection: Connection, now: datetime, view: View, alerts: Sequence[Mapping[str, Any]]) -> list[int]:
    rows = connection.execute(QUERIES["of_ended_devices"], {"ids": [alert["id"] for alert in alerts]}).fetchall()
    gone = {row["id"] for row in rows}
    return [done for alert in alerts if alert["id"] in gone for done in _end(connection, now, view, alert)]


def _end(connection: Connection, now: datetime, view: View, alert: Mapping[str, Any]) -> list[int]:
    alert = _locked(connection, alert)
    if not alert or alert["state"] == AlertState.ON_SITE:
        return []
    end_itself(connection, alert["id"], alert["home_id"], now, {}, _tell_at(now, view, alert))
    return [alert["id"]]


def _tell_at(now: datetime, view: View, alert: Mapping[str, Any]) -> datetime:
    """When those who were told may hear that it is over."""
    home = alert["home_id"]
    if home not in view.zones:
        return now
    kind, severity = AlertKind(alert["kind"]), Severity(alert["severity"])
    return tell_at(now, kind, severity, view.policy(home), view.zones[home])


def _locked(connection: Connection, alert: Mapping[str, Any]) -> Mapping[str, Any]:
    """The alert as it is now, with its row held; empty when it was resolved meanwhile."""
    return connection.execute(QUERIES["lock_open_alert"], {"dedup_key": alert["dedup_key"]}).fetchone() or {}
