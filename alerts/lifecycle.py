"""What people do with an alert: acknowledge -> on site -> resolved. Each step is in its history and announced.

These run on the api's connection too: row-level security decides which alerts exist for it. The caller owns the
transaction.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.types.json import Jsonb

from alerts.policy import Level, Resolved, inherit
from core.errors import Conflict, NotFound
from core.model import AlertState, FalseReason, Outcome, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LONGEST_HOLD: Final = timedelta(days=1)


def acknowledge(
    connection: Connection, alert_id: int, person_id: int, now: datetime, until: datetime | None = None
) -> datetime:
    """ "I have it": `person_id` holds the alert, until `until` or for the time that the home's policy gives.

    The holder may do it again to hold it longer. Returns until when it is held.

    Raises:
        NotFound: no such alert, or none that this connection may see.
        Conflict: it is resolved, somebody is on site, another person holds it, or `until` is not within a day.
    """
    alert = _lock(connection, alert_id)
    if alert["state"] == AlertState.RESOLVED:
        raise Conflict(f"alert {alert_id} is resolved")
    if alert["state"] == AlertState.ON_SITE:
        raise Conflict(f"alert {alert_id}: somebody is on site already")
    if alert["state"] == AlertState.ACKNOWLEDGED and alert["ack_by"] != person_id and alert["ack_until"] > now:
        raise Conflict(f"alert {alert_id} is held by person {alert['ack_by']} until {alert['ack_until'].isoformat()}")
    if until is None:
        policy = home_policy(connection, alert["home_id"]).policy
        until = now + timedelta(seconds=policy.ack_for(Severity(alert["severity"])))
    elif until <= now:
        raise Conflict(f"an acknowledgement until {until.isoformat()} has ended before it began: give a later time")
    elif until > now + LONGEST_HOLD:
        raise Conflict(f"an alert is held for at most {LONGEST_HOLD}: somebody must look again, give an earlier time")
    connection.execute(QUERIES["acknowledge"], {"id": alert_id, "person_id": person_id, "now": now, "until": until})
    record(connection, alert_id, now, "acknowledged", {"until_at": until.isoformat()}, person_id)
    announce(connection, alert_id, alert["home_id"])
    return until


def on_site(connection: Connection, alert_id: int, person_id: int, now: datetime) -> None:
    """`person_id` is at the home. Holds until the alert is resolved. Raises NotFound, Conflict."""
    alert = _lock(connection, alert_id)
    if alert["state"] in (AlertState.RESOLVED, AlertState.ON_SITE):
        raise Conflict(f"alert {alert_id} is {alert['state']} already")
    connection.execute(QUERIES["on_site"], {"id": alert_id, "person_id": person_id, "now": now})
    record(connection, alert_id, now, "on_site", {}, person_id)
    announce(connection, alert_id, alert["home_id"])


def resolve(
    connection: Connection, alert_id: int, person_id: int, now: datetime, outcome: Outcome, note: str = "",
    reason: FalseReason | None = None,
) -> None:  # fmt: skip
    """`person_id` says how it ended, and of a false alarm why; from any state but resolved.

    Raises:
        NotFound, Conflict: also for `Outcome.ENDED_ITSELF`, which is the platform's own word, and for a reason of
            anything but a false alarm.
    """
    if reason is not None and outcome is not Outcome.FALSE_ALARM:
        raise Conflict(f"an alert that ended as {outcome} has no reason for a false alarm: leave the reason out")
    if outcome is Outcome.ENDED_ITSELF:
        raise Conflict("only the platform says that an alert ended by itself: choose what you found")
    alert = _lock(connection, alert_id)
    if alert["state"] == AlertState.RESOLVED:
        raise Conflict(f"alert {alert_id} is resolved already")
    details = {"outcome": outcome.value} | ({"reason": reason.value} if reason else {})
    _resolve(connection, alert_id, alert["home_id"], person_id, now, outcome, note, details)


def end_itself(connection: Connection, alert_id: int, home_id: int, now: datetime, details: dict[str, Any]) -> None:
    """The platform's own: what raised the alert is over. The caller holds its row."""
    _resolve(connection, alert_id, home_id, None, now, Outcome.ENDED_ITSELF, "", details)


def expire_acknowledgements(connection: Connection, now: datetime) -> list[int]:
    """Acknowledgements whose time is over fall back to open and climb the ladder again. Returns the alerts."""
    expired = connection.execute(QUERIES["expire_acknowledgements"], {"now": now}).fetchall()
    for row in expired:
        record(connection, row["id"], now, "ack_expired", {"held_by": row["ack_by"]})
        announce(connection, row["id"], row["home_id"])
    return [row["id"] for row in expired]


def home_policy(connection: Connection, home_id: int) -> Resolved:
    """The policy that holds for a home, and where each value comes from."""
    rows = connection.execute(QUERIES["home_policy"], {"home_id": home_id}).fetchall()
    return inherit(Level(row["key"], row["policy"]) for row in rows)


def record(
    connection: Connection,
    alert_id: int,
    at: datetime,
    what: str,
    details: dict[str, Any],
    person_id: int | None = None,
) -> None:
    """Appends to the alert's history. `what` has a word `alert.event.{what}`."""
    connection.execute(
        QUERIES["add_event"],
        {"alert_id": alert_id, "at": at, "person_id": person_id, "what": what, "details": Jsonb(details)},
    )


def announce(connection: Connection, alert_id: int, home_id: int) -> None:
    """Tells open pages, with the commit, that the alert has changed."""
    payload = msgspec.json.encode({"alert": alert_id, "home": home_id}).decode()
    connection.execute(QUERIES["notify_changed"], {"payload": payload})


def _lock(connection: Connection, alert_id: int) -> dict[str, Any]:
    alert = connection.execute(QUERIES["lock_alert"], {"id": alert_id}).fetchone()
    if alert is None:
        raise NotFound(f"there is no alert {alert_id}")
    return alert


def _resolve(
    connection: Connection, alert_id: int, home_id: int, person_id: int | None, now: datetime, outcome: Outcome,
    note: str, details: dict[str, Any],
) -> None:  # fmt: skip
    connection.execute(
        QUERIES["resolve"],
        {
            "id": alert_id,
            "person_id": person_id,
            "now": now,
            "outcome": outcome.value,
            "note": note,
            "reason": details.get("reason", ""),
        },
    )
    record(connection, alert_id, now, "resolved" if person_id is not None else "ended_itself", details, person_id)
    announce(connection, alert_id, home_id)
