"""Calls for help, between two looks at everything: from the event to the alert without reading all homes.

A press of an SOS button, smoke, gas, a leak: what they mean stands in the event alone. A fall does not (somebody may
get up), nor does a sensor that is opened (a fitter may be at work): they wait for the look at everything, which
`Done.look` asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
import structlog

from alerts import ladder, opening
from alerts.detect import arrays, sos, urgent
from alerts.detect.findings import Finding
from alerts.lifecycle import home_policy
from alerts.policy import Policy
from core.metrics import BY_NAME
from core.model import AlertKind, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "urgent.sql")
KINDS: Final = (AlertKind.SOS, AlertKind.SMOKE, AlertKind.GAS, AlertKind.LEAK)  # nothing mutes these


@dataclass(frozen=True)
class Done:
    """What one call did.

    Attributes:
        opened: ids of the alerts opened; they stand on their first rung.
        look: something is left that only a look at everything brings further.
    """

    opened: Sequence[int]
    look: bool


def at_once(connection: Connection, now: datetime, *, platform_channels: Sequence[str] = ()) -> Done:
    """Brings in the calls for help that nobody has handled. The caller owns the transaction; delivery comes after.

    Args:
        now: the platform's present, aware.
        platform_channels: Apprise URLs told of every alert on the first rung.
    """
    rows = connection.execute(QUERIES["claim_calls"], {"metrics": [BY_NAME[kind].id for kind in KINDS]}).fetchall()
    policies = {home: home_policy(connection, home).policy for home in {row["home_id"] for row in rows}}
    opened: list[int] = []
    told: list[int] = []
    again: list[int] = []
    left: set[int | None] = set()  # events that the look at everything shall try
    for finding in _find(now, rows, policies):
        policy = policies[finding.home_id]
        try:
            with connection.transaction():  # a savepoint: one finding that cannot be kept hides no other home's
                alert_id, occurred = opening.bring_in(connection, now, finding, policy)
        except (psycopg.DataError, psycopg.IntegrityError):
            left.add(finding.event_id)
            continue
        again += occurred
        if alert_id is None:
            continue
        opened.append(alert_id)
        if finding.severity is not Severity.NOTICE or policy.tell_notices:
            told.append(alert_id)
    if told:
        ladder.route(connection, now, told)
        ladder.escalate(connection, now, policies, platform_channels)
    if rows:
        done = [row["id"] for row in rows if row["id"] not in left]
        connection.execute(QUERIES["handle_urgent_events"], {"ids": done, "now": now})
        structlog.get_logger().info("at once", opened=opened, again=again)
    waiting = connection.execute(QUERIES["events_wait"]).fetchone()
    return Done(opened, look=bool(again) or bool(waiting and waiting["wait"]))


def _find(now: datetime, rows: Sequence[Mapping[str, Any]], policies: Mapping[int, Policy]) -> list[Finding]:
    """In the order in which the events were stored."""
    held = [policies[row["home_id"]] for row in rows]
    events = arrays.UrgentEvents(
        **{name: np.array([row[column] for row in rows], dtype=np.int64)
           for name, column in (("event_id", "id"), ("home_id",) * 2, ("device_id",) * 2, ("metric",) * 2)},
        room=np.array([row["room"] for row in rows], dtype=np.object_),
        time=np.array([row["time"] for row in rows], dtype=np.float64),
        value=np.array([row["value"] for row in rows], dtype=np.float64),
        off_at=np.array([row["off_at"] for row in rows], dtype=np.float64),
        late_s=np.array([policy.urgent_late_s for policy in held], dtype=np.float64),
        past_s=np.array([policy.urgent_past_s for policy in held], dtype=np.float64),
    )  # fmt: skip
    present = now.timestamp()
    findings = sos.find(present, events).each()
    for kind in urgent.SEVERITY.keys() & KINDS:
        findings += urgent.find(present, events, kind).each()
    return sorted(findings, key=lambda finding: finding.event_id or 0)
