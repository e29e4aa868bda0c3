"""The ladder: who is told, in which order, and who next when nobody answers. docs/alerts.md draws it.

An alert that is open climbs from rung to rung (alerts/rungs.py, climb.py) until somebody has it, and from the top it
begins anew: an unanswered alert never falls silent. A rung on which nobody can be told is skipped at once. Who could
not be told, and why, stands in the alert's history, and in the managers' morning (alerts/shifts/morning.py). What is
not urgent waits in quiet hours. Each message is a row in `delivery`: nothing is ever only in memory.

However many alerts are due, a look costs the same few statements: a blackout's thousands climb side by side.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog
from psycopg.types.json import Jsonb

from alerts import elder
from alerts.climb import Climb, Notes, Stay, Telling
from alerts.crew import load_crew
from alerts.lifecycle import announce_many, record_many, region_policy
from alerts.observe.policies import load_policies
from alerts.policy import DEFAULTS, Policy
from alerts.quiet import zone_of
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")
BROKEN: Final = timedelta(seconds=30)  # until an alert that could not be taken further is tried again


class Climbed(NamedTuple):
    """How many alerts were due, and how many of them could not be taken further by a fault of ours."""

    due: int
    broken: int


def route(connection: Connection, now: datetime, alert_ids: Sequence[int]) -> None:
    """Puts new alerts at the foot of the ladder: their first rung is due at once."""
    if alert_ids:
        connection.execute(QUERIES["set_rung_due"], {"ids": list(alert_ids), "now": now})


def escalate(
    connection: Connection,
    now: datetime,
    policies: Mapping[int, Policy],
    platform_channels: Sequence[str],
) -> Climbed:
    """Takes every open alert whose next rung is due one rung up.

    Claimed with SKIP LOCKED: two workers never climb the same alert at once. The caller owns the transaction. One that
    cannot be taken further holds up no other: its history says so, once, and the operator hears of it.

    Args:
        policies: by home, as far as they are known; of other homes they are read.
    """
    due = connection.execute(QUERIES["due_alerts"], {"now": now}).fetchall()
    if not due:
        return Climbed(0, 0)
    homes = {alert["home_id"] for alert in due if alert["home_id"] is not None}
    known = dict(policies) | load_policies(connection, homes - policies.keys())
    crew = load_crew(connection, now, due)
    notes, broken = Notes(), []
    for alert in due:
        zone = alert["zone"] or zone_of(connection, alert["places"])
        policy, mine = _policy(connection, alert, known), Notes()
        try:
            Climb(now, alert, policy, zone, crew, platform_channels, mine).go()
        except Exception as error:  # noqa: BLE001 - a bulkhead (ADR 28): the others climb on, and it is said
            structlog.get_logger().error("climb_broke", alert=alert["id"], error=type(error).__name__)
            broken.append(alert["id"])
        else:
            notes.add(mine)
    _write(connection, now, notes)
    if broken:
        connection.execute(QUERIES["put_off"], {"ids": broken, "now": now, "until": now + BROKEN})
    return Climbed(len(due), len(broken))


def _write(connection: Connection, now: datetime, notes: Notes) -> None:
    elder.ask(connection, now, notes.questions)
    record_many(connection, now, notes.events)
    if notes.tellings:
        tellings = list(notes.tellings)
        asked = {name: [getattr(one, name) for one in tellings] for name in Telling._fields}
        connection.execute(QUERIES["queue_deliveries"], asked | {"now": now})
        connection.execute(QUERIES["hurry"], {"alerts": sorted(set(asked["alert_id"])), "now": now})
    _send_held(connection, now, notes)
    stays = {name: [getattr(one, name) for one in notes.stays] for name in Stay._fields}
    connection.execute(QUERIES["set_rungs"], stays)
    announce_many(connection, [(one.alert_id, one.home_id) for one in notes.stays])


def _send_held(connection: Connection, now: datetime, notes: Notes) -> None:
    """One message a person about all that waited for the morning."""
    if not notes.held:
        return
    digests = connection.execute(
        QUERIES["add_to_digests"],
        {
            "people": [person for person, _ in notes.held],
            "days": [day for _, day in notes.held],
            "lines": [Jsonb(alerts) for alerts in notes.held.values()],
            "kind": "held",
            "now": now,
        },
    ).fetchall()
    connection.execute(QUERIES["queue_digests"], {"ids": [row["id"] for row in digests], "now": now})


def _policy(connection: Connection, alert: Mapping[str, Any], policies: Mapping[int, Policy]) -> Policy:
    if alert["home_id"] is None:
        return region_policy(connection, alert["region_id"]).policy
    return policies.get(alert["home_id"], DEFAULTS)
