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
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import structlog

from alerts import elder, ending, ladder, opening, planned, regional
from alerts.detect import (
    cannot_watch,
    device_silent,
    fall,
    gateway_offline,
    hub_down,
    inactivity,
    not_returned,
    sos,
    urgent,
)
from alerts.detect.findings import Finding
from alerts.inhibit import inhibit, keep_muted
from alerts.learn import learn_home
from alerts.lifecycle import expire_acknowledgements
from alerts.observe import View, observe
from store.pool import Connection

LEARN_IN_A_TICK = 3  # the nightly job learns the many; this is for homes seen for the first time


@dataclass(frozen=True)
class Tick:
    """What one tick did: ids of the alerts opened, those that occurred again, those that ended by themselves."""

    opened: Sequence[int]
    again: Sequence[int]
    ended: Sequence[int]


def tick(connection: Connection, now: datetime, *, platform_channels: Sequence[str] = (), slack_s: float = 0.0) -> Tick:
    """One look at everything. The caller owns the transaction and commits it; delivery comes after.

    Args:
        now: the platform's present, aware.
        platform_channels: Apprise URLs told of every alert on the first rung.
        slack_s: how long a reading may be under way from sensor to database, in seconds of the platform's clock.
    """
    view = observe(connection, now, slack_s)
    findings = detect(view, now, slack_s)
    installed = view.gateways.home_id[~np.isnan(view.gateways.heard_at)]
    planned.end_on_return(connection, now)
    incidents = regional.look(connection, now, findings, set(view.gateways.home_id.tolist()))
    known = planned.load_planned(connection, now)
    standing, muted = inhibit(findings, Counter(installed.tolist()), (incidents.cause, known.cause))
    keep_muted(connection, now, muted)
    opened, again = opening.open_or_update(connection, now, view, standing)
    opening.handle(connection, now, view)
    ended = [*incidents.ended, *elder.listen(connection, now), *ending.end(connection, now, view, findings)]
    ladder.route(connection, now, [*opening.to_route(opened, view), *incidents.opened])
    if view.open or opened or incidents.opened:
        expire_acknowledgements(connection, now)
        ladder.escalate(connection, now, view.policies, platform_channels)
    for home_id in view.to_learn[:LEARN_IN_A_TICK]:
        learn_home(connection, home_id, view.zones[home_id], now)
    done = Tick([*incidents.opened, *(alert.id for alert in opened)], again, ended)
    if done.opened or done.again or done.ended:
        structlog.get_logger().info("tick", opened=done.opened, again=done.again, ended=done.ended)
    return done


def detect(view: View, now: datetime, slack_s: float = 0.0) -> list[Finding]:
    """Everything that the detectors find; urgent events first, in the order in which they were stored."""
    present = now.timestamp()
    findings: list[Finding] = []
    if len(view.events.event_id):
        findings += sos.find(present, view.events).each() + fall.find(present, view.events).each()
        for kind in urgent.SEVERITY:
            findings += urgent.find(present, view.events, kind).each()
        findings.sort(key=lambda finding: finding.event_id or 0)
    sweep = (
        gateway_offline.find(present, view.gateways, slack_s),
        cannot_watch.find(present, view.homes, slack_s),
        hub_down.find(present, view.devices),
        device_silent.find(present, view.devices, slack_s),
        inactivity.find(present, view.homes, slack_s),
        not_returned.find(present, view.homes, slack_s),
    )
    for found in sweep:
        findings += found.each()
    return findings
