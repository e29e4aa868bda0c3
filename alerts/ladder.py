"""The ladder: who is told, in which order, and who next when nobody answers.

    rung 1, at once      workers of the home's community (or the nearest region above that has any), the
                         platform's own channels; family too when it is urgent
    rung 2, unanswered   managers of every region above; family, unless they know already

An empty rung is skipped at once, and a person without a channel is passed over; both stand in the history.
Each message is a row in `delivery`: nothing is ever only in memory.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from alerts.lifecycle import announce, record
from alerts.observe.policies import load_policies
from alerts.policy import Policy
from core.model import Role, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
TOP: Final = 2


class Person(NamedTuple):
    """Somebody who could be told. height: 1 = the home's community, 2 = its street ...; 0 = family."""

    id: int
    channels: Sequence[str]
    role: Role
    height: int


def route(connection: Connection, now: datetime, alert_ids: Sequence[int]) -> None:
    """Puts new alerts at the foot of the ladder: their first rung is due at once."""
    if alert_ids:
        connection.execute(QUERIES["set_rung_due"], {"ids": list(alert_ids), "now": now})


def escalate(
    connection: Connection, now: datetime, policies: Mapping[int, Policy], platform_channels: Sequence[str]
) -> int:
    """Takes every open alert whose next rung is due one rung up. Returns how many.

    Claimed with SKIP LOCKED: two workers never climb the same alert at once. The caller owns the transaction.

    Args:
        policies: by home, as far as they are known; of other homes they are read.
    """
    due = connection.execute(QUERIES["due_alerts"], {"now": now}).fetchall()
    known = dict(policies) | load_policies(connection, {alert["home_id"] for alert in due} - policies.keys())
    for alert in due:
        climb(connection, now, alert, known.get(alert["home_id"], Policy()), platform_channels)
    return len(due)


def climb(
    connection: Connection, now: datetime, alert: Mapping[str, Any], policy: Policy, platform_channels: Sequence[str]
) -> None:
    """One rung up, and on past rungs that are empty."""
    people = _people(connection, now, alert["home_id"])
    severity = Severity(alert["severity"])
    rung = alert["rung"]
    while rung < TOP:
        rung += 1
        answering, others = crew(rung, severity, people)
        if rung == 1:
            for channel in platform_channels:
                _queue(connection, now, alert["id"], rung, None, channel)
        told = [_tell(connection, now, alert["id"], rung, person) for person in (*answering, *others)]
        if any(told[: len(answering)]):
            break
        record(connection, alert["id"], now, "rung_skipped", {"rung": rung})
    rung_at = now + timedelta(seconds=policy.rung_for(severity)) if rung < TOP else None
    connection.execute(QUERIES["set_rung"], {"id": alert["id"], "rung": rung, "rung_at": rung_at})
    announce(connection, alert["id"], alert["home_id"])


def crew(rung: int, severity: Severity, people: Sequence[Person]) -> tuple[list[Person], list[Person]]:
    """Who stands on a rung: those whose answer it waits for (without them it is empty), and who is told besides."""
    family = [person for person in people if person.role is Role.FAMILY]
    if rung == 1:
        workers = [person for person in people if person.role is Role.WORKER]
        nearest = min((person.height for person in workers), default=0)
        besides = family if severity is Severity.URGENT else []
        return [person for person in workers if person.height == nearest], besides
    managers = [person for person in people if person.role is Role.MANAGER]
    return managers + (family if severity is not Severity.URGENT else []), []


def _people(connection: Connection, now: datetime, home_id: int) -> list[Person]:
    rows = connection.execute(QUERIES["ladder_people"], {"home_id": home_id, "now": now}).fetchall()
    return [Person(row["id"], row["channels"], Role(row["role"]), row["height"]) for row in rows]


def _tell(connection: Connection, now: datetime, alert_id: int, rung: int, person: Person) -> bool:
    if not person.channels:
        details = {"rung": rung, "role": person.role.value}
        record(connection, alert_id, now, "person_skipped", details, person.id)
        return False
    for channel in person.channels:
        _queue(connection, now, alert_id, rung, person.id, channel)
    return True


def _queue(
    connection: Connection, now: datetime, alert_id: int, rung: int, person_id: int | None, channel: str
) -> None:
    connection.execute(
        QUERIES["queue_delivery"],
        {"alert_id": alert_id, "rung": rung, "person_id": person_id, "channel": channel, "now": now},
    )
