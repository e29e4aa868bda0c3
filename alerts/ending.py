"""Alerts that end by themselves, because what raised them is over. SOS, fall, smoke and gas need a person."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from psycopg.types.json import Jsonb

from alerts.detect import cannot_watch, inactivity
from alerts.detect.findings import Finding, moment
from alerts.lifecycle import Over, announce, end_themselves, record
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
    """Ends what is over, in a few statements however much it is: a blackout's thousands end in one look.

    What somebody has reopened was over by what the sensors say, and they were not believed: a silence ends with a sign
    of life after that, equipment as ever, anything else by a person only.

    `findings` are all of this tick, muted ones too: a muted finding still holds. Returns the ids of the alerts ended.
    """
    found = {finding.dedup_key for finding in findings}
    seen = seen_homes(view, now)
    cleared = _ids_of(connection, "cleared_alerts", view, STATE)
    taken = _ids_of(connection, "of_ended_devices", view, OF_A_DEVICE)
    over = {
        alert["id"]
        for alert in view.open
        if alert["id"] in cleared | taken
        or is_over(AlertKind(alert["kind"]), alert["dedup_key"], alert["home_id"], found, view.looked, seen)
    }
    life = _life_since(view)
    asked = sorted(over | life.keys())
    if not asked:
        return []
    reopened = {row["alert_id"]: row["at"] for row in connection.execute(QUERIES["reopened"], {"ids": asked})}
    last = {alert["id"]: alert["last_at"] for alert in view.open}
    done: list[Over] = []
    for alert in connection.execute(QUERIES["lock_open_alerts"], {"ids": asked}):  # without those resolved meanwhile
        id = alert["id"]
        if id in over:
            persons = id in reopened and id not in taken and alert["kind"] not in EQUIPMENT
            again = alert["last_at"] != last[id]  # it has happened again meanwhile: the next look judges that
            if alert["state"] != AlertState.ON_SITE and not persons and not again:
                done.append(Over(id, alert["home_id"], {}, _tell_at(now, view, alert)))
        elif id not in reopened or life[id].at > reopened[id]:
            done += _life(connection, now, view, alert, life[id])
    end_themselves(connection, now, done)
    return [one.alert_id for one in done]


def _ids_of(connection: Connection, query: str, view: View, kinds: Container[AlertKind]) -> set[int]:
    """Of the open alerts of these kinds those that the query gives."""
    ids = [alert["id"] for alert in view.open if alert["kind"] in kinds]
    return {row["id"] for row in connection.execute(QUERIES[query], {"ids": ids})} if ids else set()


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


class _Life(NamedTuple):
    """A sign of life since a silence began: when, and how many seconds a silence may last there now (inf: for ever)."""

    at: datetime
    limit_s: float


def _life_since(view: View) -> dict[int, _Life]:
    """Of the open silences, those after whose beginning somebody moved."""
    silences = [alert for alert in view.open if alert["kind"] in SILENCE]
    if not silences:
        return {}
    rows = {int(home): row for row, home in enumerate(view.homes.home_id)}
    limits = inactivity.limit_s(view.homes)
    found = {}
    for alert in silences:
        row = rows.get(alert["home_id"])
        if row is None or np.isnan(view.homes.life_at[row]):
            continue
        life_at = moment(float(view.homes.life_at[row]))
        if life_at - alert["began_at"] > SAME:
            found[alert["id"]] = _Life(life_at, float(limits[row]))
    return found


def _life(connection: Connection, now: datetime, view: View, alert: Mapping[str, Any], life: _Life) -> list[Over]:
    """A silence ends with a sign of life, never because the home can no longer be seen.

    Somebody who holds the alert or is on site may be the one who moves there: it stays theirs to resolve.
    """
    if life.at - alert["began_at"] <= SAME:
        return []
    details = {"life_at": life.at.isoformat(timespec="seconds")}
    late = life.at < alert["opened_at"]
    silent_still = late and (now - life.at).total_seconds() >= life.limit_s
    if alert["state"] == AlertState.OPEN and not silent_still:
        what = {"late": True} if late else {}
        return [Over(alert["id"], alert["home_id"], details | what, _tell_at(now, view, alert))]
    if silent_still:
        connection.execute(QUERIES["move_beginning"], {"id": alert["id"], "began_at": life.at})
        record(connection, alert["id"], now, "life_late", details)
        announce(connection, alert["id"], alert["home_id"])
    else:
        once = {"alert_id": alert["id"], "at": now, "what": "life_again", "details": Jsonb(details)}
        if connection.execute(QUERIES["add_event_once"], once).rowcount:
            announce(connection, alert["id"], alert["home_id"])
    return []


def _tell_at(now: datetime, view: View, alert: Mapping[str, Any]) -> datetime:
    """When those who were told may hear that it is over."""
    home = alert["home_id"]
    if home not in view.zones:
        return now
    kind, severity = AlertKind(alert["kind"]), Severity(alert["severity"])
    return tell_at(now, kind, severity, view.policy(home), view.zones[home])
