"""Open or update: a finding becomes an alert, an occurrence of the open one, or a repetition; never nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg
import structlog
from psycopg.types.json import Jsonb

from alerts.detect import fall
from alerts.detect.findings import Finding
from alerts.ending import CONDITION
from alerts.lifecycle import announce, record
from alerts.observe import View
from alerts.policy import REMINDED, Policy
from core.model import AlertState, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
URGENT: Final = load_queries(__package__, "urgent.sql")
SAME: Final = timedelta(seconds=1)  # two beginnings closer than this are the same episode


@dataclass(frozen=True)
class Opened:
    id: int
    home_id: int
    severity: Severity


def open_or_update(
    connection: Connection, now: datetime, view: View, findings: Sequence[Finding]
) -> tuple[list[Opened], list[int]]:
    """Brings alerts in line with the findings that stand.

    A finding of the sweep whose alert is open already says nothing new, unless it began after it: a silence after
    somebody has moved, while the alert about the last one is still somebody's, is a further occurrence. An urgent
    event always leaves a trace: it opens an alert, or is a further occurrence of the open one, or, within
    `urgent_repeat_s` of the last by the same device, a repetition of it.

    Returns:
        The alerts opened, and the ids of those that occurred again.
    """
    known = {row["dedup_key"]: row for row in view.open}
    fresh = [finding for finding in findings if finding.event_id is not None or _says_new(finding, known)]
    resolved = _lately_resolved(connection, [finding for finding in fresh if finding.event_id is None])
    fresh = [
        finding
        for finding in fresh
        if finding.event_id is not None or not _resolved_already(finding, resolved, view.policy(finding.home_id), now)
    ]
    new, refused = _open_many(connection, now, fresh)
    again: list[int] = []
    for place, finding in enumerate(fresh):
        if place in new or place in refused:
            continue
        try:  # its key has an open alert
            with connection.transaction():  # a savepoint: one finding that cannot be kept hides no other home's
                alert_id, occurred = bring_in(connection, now, finding, view.policy(finding.home_id))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            _refuse(finding, error)
            continue
        again += occurred
        if alert_id is not None:
            new[place] = alert_id
    return [Opened(new[place], fresh[place].home_id, fresh[place].severity) for place in sorted(new)], again


def _open_many(connection: Connection, now: datetime, findings: Sequence[Finding]) -> tuple[dict[int, int], set[int]]:
    """Opens the alerts of findings whose keys have none: place of the finding -> id; and places that were refused.

    One statement for all. If one of them cannot be kept each half is tried alone, so that it hides no other home's.
    """
    if not findings:
        return {}, set()
    asked = {
        "homes": [finding.home_id for finding in findings],
        "kinds": [finding.kind.value for finding in findings],
        "severities": [finding.severity.value for finding in findings],
        "keys": [finding.dedup_key for finding in findings],
        "messages": [finding.message for finding in findings],
        "parameters": [Jsonb(finding.parameters) for finding in findings],
        "coverages": [Jsonb(finding.coverage) for finding in findings],
        "began": [finding.began_at for finding in findings],
        "details": [Jsonb({"late": True} if finding.late else {}) for finding in findings],
        "now": now,
    }
    try:
        with connection.transaction():
            rows = connection.execute(QUERIES["open_alerts_of"], asked).fetchall()
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(findings) == 1:
            _refuse(findings[0], error)
            return {}, {0}
        half = len(findings) // 2
        new, refused = _open_many(connection, now, findings[:half])
        more, others = _open_many(connection, now, findings[half:])
        return (
            new | {place + half: alert_id for place, alert_id in more.items()},
            refused | {place + half for place in others},
        )
    return {row["place"] - 1: row["id"] for row in rows}, set()


def _refuse(finding: Finding, error: psycopg.Error) -> None:
    structlog.get_logger().error(
        "finding_refused", kind=finding.kind, home=finding.home_id, event_id=finding.event_id,
        error=type(error).__name__,
    )  # fmt: skip


def bring_in(connection: Connection, now: datetime, finding: Finding, policy: Policy) -> tuple[int | None, list[int]]:
    """One finding: (the alert that was opened or None, ids of those that occurred again)."""
    alert_id = _open(connection, now, finding)
    while alert_id is None:
        alert = connection.execute(QUERIES["lock_open_alert"], {"dedup_key": finding.dedup_key}).fetchone()
        if alert is not None:
            if finding.event_id is None and not _began_after(finding, alert):
                return None, []  # another worker has just opened it
            return None, _again(connection, now, finding, alert, policy)
        alert_id = _open(connection, now, finding)  # resolved between the two statements: it opens a new one
    return alert_id, []


def handle(connection: Connection, now: datetime, view: View) -> None:
    """Marks the claimed urgent events as handled, all but warnings that are still given time."""
    events = view.events
    if not len(events.event_id):
        return
    wait = fall.waiting(now.timestamp(), events, view.aftermath)
    gone = events.event_id[~wait & (now.timestamp() - events.time >= events.past_s)]
    if len(gone):
        structlog.get_logger().warning("urgent_events_of_the_past", events=gone.tolist())
    done = events.event_id[~wait]
    if len(done):
        connection.execute(URGENT["handle_urgent_events"], {"ids": done.tolist(), "now": now})


def to_route(opened: Sequence[Opened], view: View) -> list[int]:
    """The alerts that go up the ladder: notices stand on the page only, unless the policy says otherwise."""
    return [
        alert.id for alert in opened if alert.severity is not Severity.NOTICE or view.policy(alert.home_id).tell_notices
    ]


def _open(connection: Connection, now: datetime, finding: Finding) -> int | None:
    row = connection.execute(
        QUERIES["open_alert"],
        {
            "home_id": finding.home_id,
            "kind": finding.kind.value,
            "severity": finding.severity.value,
            "dedup_key": finding.dedup_key,
            "message": finding.message,
            "parameters": Jsonb(finding.parameters),
            "coverage": Jsonb(finding.coverage),
            "began_at": finding.began_at,
            "now": now,
            "details": Jsonb({"late": True} if finding.late else {}),
        },
    ).fetchone()
    if row is None:
        return None
    announce(connection, row["id"], finding.home_id)
    return int(row["id"])


def _again(
    connection: Connection, now: datetime, finding: Finding, alert: Mapping[str, Any], policy: Policy
) -> list[int]:
    """Another event while the alert is open. The alert's row is locked, so two workers do this in turn.

    Everyone who knows of it is told again. A ladder that still climbs goes on climbing: whoever presses every
    two minutes must not keep the next rung from ever being told. One that has ended starts anew, and so does one
    whose alert has become graver, or whose helper was on site so long ago that they must have left without a word.
    """
    details = {
        "measured_at": finding.began_at.isoformat(timespec="seconds"), "room": finding.parameters.get("room", ""),
    }  # fmt: skip
    near = abs(finding.began_at - alert["last_at"]) < timedelta(seconds=policy.urgent_repeat_s)
    if near and alert["parameters"].get("device_id") == finding.subject_id:
        record(connection, alert["id"], now, "repeated", details)
        announce(connection, alert["id"], alert["home_id"])
        return []
    latest = finding.began_at >= alert["last_at"]
    aloud = not finding.late and finding.severity is not Severity.NOTICE
    severity = _graver(Severity(alert["severity"]), finding.severity)
    ack_until = now + timedelta(seconds=policy.ack_for(severity))
    left = alert["state"] == AlertState.ON_SITE and now - alert["on_site_at"] >= ack_until - now
    ended = alert["rung_at"] is None or severity != alert["severity"]
    anew = aloud and (left or (alert["state"] == AlertState.OPEN and ended))
    connection.execute(
        QUERIES["add_occurrence"],
        {
            "id": alert["id"],
            "began_at": finding.began_at,
            "now": now,
            "message": finding.message if latest else alert["message"],
            "parameters": Jsonb(finding.parameters if latest else alert["parameters"]),
            "severity": severity.value,
            "raise": anew,
            "ack_until": ack_until if aloud else None,
        },
    )
    if finding.event_id is None:  # the silence that counts now, whose end is the alert's end
        connection.execute(QUERIES["move_beginning"], {"id": alert["id"], "began_at": finding.began_at})
    if aloud and not anew:  # who has it still has it, and hears of it too
        connection.execute(QUERIES["tell_again"], {"id": alert["id"], "now": now})
    if aloud and left:
        record(connection, alert["id"], now, "ack_expired", {"held_by": alert["ack_by"]})
    record(connection, alert["id"], now, "occurred_late" if finding.late else "occurred_again", details)
    announce(connection, alert["id"], alert["home_id"])
    return [alert["id"]]


def _says_new(finding: Finding, known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a finding of the sweep has no open alert, or is another episode than the one that somebody has."""
    alert = known.get(finding.dedup_key)
    return alert is None or (alert["state"] != AlertState.OPEN and _began_after(finding, alert))


def _began_after(finding: Finding, alert: Mapping[str, Any]) -> bool:
    return bool(finding.began_at - max(alert["began_at"], alert["last_at"]) > SAME)


def _graver(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=list(Severity).index)


def _lately_resolved(connection: Connection, findings: Sequence[Finding]) -> Sequence[Mapping[str, Any]]:
    if not findings:
        return []
    return connection.execute(
        QUERIES["lately_resolved"],
        {
            "homes": np.unique([finding.home_id for finding in findings]).tolist(),
            "keys": [finding.dedup_key for finding in findings],
        },
    ).fetchall()


def _resolved_already(finding: Finding, resolved: Sequence[Mapping[str, Any]], policy: Policy, now: datetime) -> bool:
    return any(
        row["dedup_key"] == finding.dedup_key
        and dealt_with(finding, row["began_at"], row["resolved_at"], policy.remind_s, now)
        for row in resolved
    )


def dealt_with(finding: Finding, began_at: datetime, resolved_at: datetime, remind_s: float, now: datetime) -> bool:
    """Whether a person has dealt with this very episode: it does not come up again while it lasts.

    A silence does after `remind_s`: that she was well this morning says little tonight. The episode of a condition (a
    door that stands open, a room that is cold) is what had begun when the person resolved it.

    Args:
        began_at, resolved_at: of an alert with the finding's key that a person resolved.
    """
    same = abs(began_at - finding.began_at) <= SAME
    if finding.kind in CONDITION:
        same = finding.began_at <= resolved_at
    return same and (finding.kind not in REMINDED or now - resolved_at < timedelta(seconds=remind_s))
