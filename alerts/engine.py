"""The alert engine: `tick(now)` as a list of stages.

    observe -> detect -> inhibit -> open or update -> listen -> end -> route -> escalate     one transaction
    deliver                                                                                  alerts/notify/, its own

State lives in PostgreSQL. Every stage is idempotent and takes rows with FOR UPDATE SKIP LOCKED or ON CONFLICT, so
two workers may tick at once and a killed one costs nothing but its transaction.

Late data: an urgent event that was measured more than `urgent_late_s` ago opens an alert of severity normal that
says that it is late (somebody pressed, and nobody has come: worth a look today, not an alarm at night); beyond
`urgent_past_s` it raises nothing. A sign of life that arrives late ends or shortens a silence, and the alert's
history says that it came late.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np
import structlog

from alerts import elder, ending, ladder, opening, planned, regional, visits
from alerts.detect import (
    appliance_on,
    cannot_watch,
    device_silent,
    door_open,
    drift,
    fall,
    gateway_offline,
    hub_down,
    inactivity,
    left_at_night,
    long_stay,
    no_door,
    not_returned,
    not_risen,
    sensor_stuck,
    sos,
    temperature,
    urgent,
    water,
)
from alerts.detect.findings import Finding
from alerts.inhibit import inhibit, keep_muted
from alerts.lifecycle import expire_acknowledgements
from alerts.observe import View, observe
from alerts.slices import ALL
from store.pool import Connection

LOGGED = 20  # ids of each sort in a log line; a blackout has thousands


@dataclass(frozen=True)
class Tick:
    """What one tick did: ids of the alerts opened, those that occurred again, those that ended by themselves."""

    opened: Sequence[int]
    again: Sequence[int]
    ended: Sequence[int]


def tick(
    connection: Connection, now: datetime, *, platform_channels: Sequence[str] = (), slack_s: float = 0.0,
    slices: Sequence[int] = ALL,
) -> Tick:  # fmt: skip
    """One look at all homes of these slices. The caller owns the transaction and commits it; delivery comes after.

    Args:
        now: the platform's present, aware.
        platform_channels: Apprise URLs told of every alert on the first rung.
        slack_s: how long a reading may be under way from sensor to database, in seconds of the platform's clock.
        slices: whose homes this worker looks at; a ladder is climbed by whoever comes first.
    """
    view = observe(connection, now, slack_s, slices)
    findings = detect(view, now, slack_s)
    installed = view.gateways.home_id[~np.isnan(view.gateways.heard_at)]
    planned.end_on_return(connection, now)
    visits.end_forgotten(connection, now, view.policies, slices)
    incidents = regional.look(connection, now, findings, set(view.gateways.home_id.tolist()))
    known = planned.load_planned(connection, now)
    standing, muted = inhibit(
        findings,
        Counter(installed.tolist()),
        (incidents.cause, partial(known.cause, carers=view.carers), partial(visits.mutes, view.there)),
    )
    keep_muted(connection, now, muted, view.looked, slices)
    opened, again = opening.open_or_update(connection, now, view, standing)
    opening.handle(connection, now, view)
    ended = [*incidents.ended, *elder.listen(connection, now), *ending.end(connection, now, view, findings)]
    ladder.route(connection, now, [*opening.to_route(opened, view), *incidents.opened])
    if view.open or opened or incidents.opened:
        expire_acknowledgements(connection, now)
        ladder.escalate(connection, now, view.policies, platform_channels)
    done = Tick([*incidents.opened, *(alert.id for alert in opened)], again, ended)
    if done.opened or done.again or done.ended:
        said = {"opened": done.opened[:LOGGED], "again": done.again[:LOGGED], "ended": done.ended[:LOGGED]}
        structlog.get_logger().info("tick", alerts=len(done.opened) + len(done.again) + len(done.ended), **said)
    return done


def detect(view: View, now: datetime, slack_s: float = 0.0) -> list[Finding]:
    """Everything that the detectors find; urgent events first, in the order in which they were stored."""
    present, minute = now.timestamp(), view.slow
    findings: list[Finding] = []
    if len(view.events.event_id):
        at_once = (
            sos.find(present, view.events),
            fall.find(present, view.events, view.aftermath),
            fall.find_moved(present, view.events, view.aftermath),
            *(urgent.find(present, view.events, kind) for kind in urgent.SEVERITY),
        )
        findings = [finding for found in at_once for finding in found.each()]
        findings.sort(key=lambda finding: finding.event_id or 0)
    sweep = [
        gateway_offline.find(present, view.gateways, slack_s),
        cannot_watch.find(present, view.homes, slack_s),
        hub_down.find(present, view.devices),
        device_silent.find(present, view.devices, slack_s),
        inactivity.find(present, view.homes, slack_s),
    ]
    if minute is not None:
        sweep += [
            not_risen.find(present, minute.whereabouts, slack_s),
            long_stay.find(present, minute.whereabouts, slack_s),
            not_returned.find(present, minute.away, slack_s),
            left_at_night.find(present, minute.whereabouts, slack_s),
            door_open.find(present, minute.whereabouts, slack_s),
            no_door.find(present, minute.whereabouts, slack_s),
            appliance_on.find(present, minute.power, slack_s),
            water.find_low(present, minute.water, slack_s),
            water.find_running(present, minute.water, slack_s),
            temperature.find_cold(present, minute.climate, slack_s),
            temperature.find_hot(present, minute.climate, slack_s),
            sensor_stuck.find(present, minute.sensors, slack_s),
            drift.find(present, minute.trends),
        ]
    for found in sweep:
        findings += found.each()
    return [_with_feedback(finding, view) for finding in findings] if view.raised else findings


def _with_feedback(finding: Finding, view: View) -> Finding:
    """Says so where the home's own false alarms have made its limit longer."""
    count = view.raised.get((finding.home_id, finding.kind))
    return replace(finding, parameters={**finding.parameters, "false_alarms": count}) if count else finding
