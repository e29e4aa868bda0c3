"""What people do with an alert: acknowledge -> on site -> resolved; hand on, reopen. docs/alerts.md draws the states.

Each step stands in its history with who, when, from where and why, and is announced. These run on the api's
connection too: row-level security decides which alerts exist for it. The caller owns the transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from alerts.policy import Level, Policy, Resolved, inherit
from core.errors import Conflict, NotFound
from core.model import AlertState, FalseReason, Outcome, Severity, Source
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LONGEST_HOLD: Final = timedelta(days=1)
REOPEN_WITHIN: Final = timedelta(days=1)


class Event(NamedTuple):
    """A line of an alert's history, said by the platform. `what` has a word `alert.event.{what}`."""

    alert_id: int
    what: str
    details: Mapping[str, Any] = {}
    person_id: int | None = None


class Over(NamedTuple):
    """An alert that ends by itself. `tell_at`: when those who were told hear of it; None: never."""

    alert_id: int
    home_id: int | None
    details: Mapping[str, Any]
    tell_at: datetime | None


def acknowledge(
    connection: Connection, alert_id: int, person_id: int, now: datetime, until: datetime | None = None, *,
    source: Source = Source.API, why: str = "",
) -> datetime:  # fmt: skip
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
        until = now + timedelta(seconds=_policy_of(connection, alert).ack_for(Severity(alert["severity"])))
    elif until <= now:
        raise Conflict(f"an acknowledgement until {until.isoformat()} has ended before it began: give a later time")
    elif until > now + LONGEST_HOLD:
        raise Conflict(f"an alert is held for at most {LONGEST_HOLD}: somebody must look again, give an earlier time")
    connection.execute(QUERIES["acknowledge"], {"id": alert_id, "person_id": person_id, "now": now, "until": until})
    record(connection, alert_id, now, "acknowledged", {"until_at": until.isoformat()}, person_id, source, why)
    announce(connection, alert_id, alert["home_id"])
    return until


def on_site(
    connection: Connection, alert_id: int, person_id: int, now: datetime, *, source: Source = Source.API, why: str = ""
) -> None:
    """`person_id` is at the home. Holds until the alert is resolved. Raises NotFound, Conflict."""
    alert = _lock(connection, alert_id)
    if alert["state"] in (AlertState.RESOLVED, AlertState.ON_SITE):
        raise Conflict(f"alert {alert_id} is {alert['state']} already")
    connection.execute(QUERIES["on_site"], {"id": alert_id, "person_id": person_id, "now": now})
    record(connection, alert_id, now, "on_site", {}, person_id, source, why)
    announce(connection, alert_id, alert["home_id"])


def hand_on(
    connection: Connection, alert_id: int, person_id: int, to_person_id: int, now: datetime, *,
    source: Source = Source.API, why: str = "",
) -> None:  # fmt: skip
    """`person_id` asks another by name to take it over.

    It is open until that person answers: nobody has it because somebody else was asked. They are told at once, and
    when they do not answer in the time of a rung, the ladder goes on from where it was.

    Raises:
        NotFound: no such alert, or no such person.
        Conflict: it is resolved, another person holds it, or it is handed to oneself.
    """
    alert = _lock(connection, alert_id)
    if alert["state"] == AlertState.RESOLVED:
        raise Conflict(f"alert {alert_id} is resolved")
    if to_person_id == person_id:
        raise Conflict(f"alert {alert_id}: you cannot hand it on to yourself")
    held = alert["state"] == AlertState.ON_SITE or (
        alert["state"] == AlertState.ACKNOWLEDGED and alert["ack_until"] > now
    )
    if held and alert["ack_by"] != person_id:
        raise Conflict(f"alert {alert_id} is held by person {alert['ack_by']}: only they hand it on")
    try:
        with connection.transaction():
            connection.execute(QUERIES["hand_on"], {"id": alert_id, "to": to_person_id, "now": now})
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFound(f"there is no person {to_person_id}") from error
    record(connection, alert_id, now, "handed_on", {"to": to_person_id}, person_id, source, why)
    announce(connection, alert_id, alert["home_id"])
    connection.execute(QUERIES["wake"])


def resolve(
    connection: Connection, alert_id: int, person_id: int, now: datetime, outcome: Outcome, note: str = "", *,
    source: Source = Source.API, reason: FalseReason | None = None,
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
    connection.execute(
        QUERIES["resolve"],
        {"id": alert_id, "person_id": person_id, "now": now, "outcome": outcome.value, "note": note,
         "reason": reason.value if reason else ""},
    )  # fmt: skip
    record(connection, alert_id, now, "resolved", details, person_id, source, note)
    announce(connection, alert_id, alert["home_id"])


def reopen(
    connection: Connection, alert_id: int, person_id: int, now: datetime, *, source: Source = Source.API, why: str = ""
) -> None:
    """`person_id` says that it is not over after all. The ladder begins anew.

    Raises:
        NotFound: no such alert.
        Conflict: it is not resolved, was resolved more than a day ago, or another one for the same cause is open.
    """
    alert = _lock(connection, alert_id)
    if alert["state"] != AlertState.RESOLVED:
        raise Conflict(f"alert {alert_id} is not resolved")
    if now - alert["resolved_at"] > REOPEN_WITHIN:
        raise Conflict(f"alert {alert_id} was resolved more than a day ago: it stays as it is")
    try:
        with connection.transaction():
            connection.execute(QUERIES["reopen"], {"id": alert_id, "now": now})
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"alert {alert_id}: another alert for the same cause is open, take that one") from error
    record(connection, alert_id, now, "reopened", {"outcome": alert["outcome"]}, person_id, source, why)
    announce(connection, alert_id, alert["home_id"])
    connection.execute(QUERIES["wake"])


def end_itself(
    connection: Connection, alert_id: int, home_id: int | None, now: datetime, details: dict[str, Any],
    tell_at: datetime | None = None,
) -> None:  # fmt: skip
    """The platform's own: what raised the alert is over. The caller holds its row.

    Whoever was told that something is wrong is told that it is over, from `tell_at` on (None: now).
    """
    end_themselves(connection, now, [Over(alert_id, home_id, details, tell_at or now)])


def end_themselves(connection: Connection, now: datetime, over: Sequence[Over]) -> None:
    """The same for many, in a few statements however many they are. The caller holds their rows."""
    if not over:
        return
    connection.execute(QUERIES["end_alerts"], {"ids": [one.alert_id for one in over], "now": now})
    record_many(connection, now, [Event(one.alert_id, "ended_itself", one.details) for one in over])
    told = [one for one in over if one.tell_at is not None]
    asked = {"ids": [one.alert_id for one in told], "tell_at": [one.tell_at for one in told], "now": now}
    connection.execute(QUERIES["tell_the_end"], asked)
    announce_many(connection, [(one.alert_id, one.home_id) for one in over])


def expire_acknowledgements(connection: Connection, now: datetime) -> list[int]:
    """Acknowledgements whose time is over fall back to open and climb the ladder again. Returns the alerts."""
    expired = connection.execute(QUERIES["expire_acknowledgements"], {"now": now}).fetchall()
    record_many(connection, now, [Event(row["id"], "ack_expired", {"held_by": row["ack_by"]}) for row in expired])
    announce_many(connection, [(row["id"], row["home_id"]) for row in expired])
    return [row["id"] for row in expired]


def home_policy(connection: Connection, home_id: int) -> Resolved:
    """The policy that holds for a home, and where each value comes from."""
    rows = connection.execute(QUERIES["home_policy"], {"home_id": home_id}).fetchall()
    return inherit(Level(row["key"], row["policy"]) for row in rows)


def region_policy(connection: Connection, region_id: int) -> Resolved:
    """The same for a region."""
    rows = connection.execute(QUERIES["region_policy"], {"region_id": region_id}).fetchall()
    return inherit(Level(row["key"], row["policy"]) for row in rows)


def record(
    connection: Connection,
    alert_id: int,
    at: datetime,
    what: str,
    details: dict[str, Any],
    person_id: int | None = None,
    source: Source = Source.PLATFORM,
    why: str = "",
) -> None:
    """Appends to the alert's history. `what` has a word `alert.event.{what}`; `why` is the person's own words."""
    connection.execute(
        QUERIES["add_event"],
        {"alert_id": alert_id, "at": at, "person_id": person_id, "what": what, "details": Jsonb(details),
         "source": source.value, "why": why},
    )  # fmt: skip


def record_many(connection: Connection, at: datetime, events: Sequence[Event]) -> None:
    """Appends to the histories of many alerts, in this order."""
    if events:
        connection.execute(
            QUERIES["add_events"],
            {"alerts": [one.alert_id for one in events], "people": [one.person_id for one in events],
             "whats": [one.what for one in events], "details": [Jsonb(one.details) for one in events], "at": at},
        )  # fmt: skip


def announce(connection: Connection, alert_id: int, home_id: int | None) -> None:
    """Tells open pages, with the commit, that the alert has changed."""
    announce_many(connection, [(alert_id, home_id)])


def announce_many(connection: Connection, alerts: Sequence[tuple[int, int | None]]) -> None:
    """The same of many alerts: ids, each with its home's."""
    if alerts:
        payloads = [msgspec.json.encode({"alert": alert, "home": home}).decode() for alert, home in alerts]
        connection.execute(QUERIES["notify_changed"], {"payloads": payloads})


def _policy_of(connection: Connection, alert: dict[str, Any]) -> Policy:
    if alert["home_id"] is None:
        return region_policy(connection, alert["region_id"]).policy
    return home_policy(connection, alert["home_id"]).policy


def _lock(connection: Connection, alert_id: int) -> dict[str, Any]:
    alert = connection.execute(QUERIES["lock_alert"], {"id": alert_id}).fetchone()
    if alert is None:
        raise NotFound(f"there is no alert {alert_id}")
    return alert
