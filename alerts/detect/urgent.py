"""Smoke, gas, leak, tamper: raised at once, as measured. Also what SOS and fall share with them.

An event that is measured long ago when it arrives (a gateway's backlog) is *late*: from `late_s` on it is worth
a look today but not an alarm; from `past_s` on it is a moment long gone and raises nothing (the reading itself
stays in the home's history).
"""

from typing import Any, Final

import numpy as np

from alerts.detect.arrays import Floats, Ints, Texts, UrgentEvents
from alerts.detect.findings import Findings
from core.metrics import BY_NAME
from core.model import AlertKind, Severity

SEVERITY: Final = {
    AlertKind.SMOKE: Severity.URGENT,
    AlertKind.GAS: Severity.URGENT,
    AlertKind.LEAK: Severity.NORMAL,
    AlertKind.TAMPER: Severity.NOTICE,
}


def find(now: float, events: UrgentEvents, kind: AlertKind) -> Findings:
    """The findings of one of `SEVERITY`'s kinds. A tampered device is its own trouble, smoke is the home's.

    Args:
        now: epoch seconds.
    """
    return at_once(now, events, kind, SEVERITY[kind], by_subject=kind is AlertKind.TAMPER)


def at_once(
    now: float,
    events: UrgentEvents,
    kind: AlertKind,
    severity: Severity,
    *,
    by_subject: bool = False,
    take: "np.ndarray[Any, np.dtype[np.bool_]] | None" = None,
    followed: str | None = None,
) -> Findings:
    """One finding an event of the metric named as the kind (of those in `take`) that is not long gone.

    `followed` says what came after it, for the sentence `finding.{kind}.why.{followed}`.
    """
    mine = events.metric == BY_NAME[kind].id
    if take is not None:
        mine &= take
    age = now - events.time
    rows = np.flatnonzero(mine & (age < events.past_s))
    figures: dict[str, Floats | Ints | Texts] = {
        "measured_at": events.time[rows],
        "room": events.room[rows],
        "device_id": events.device_id[rows],
    }
    if followed is not None:
        figures["followed"] = np.full(len(rows), followed, dtype=np.object_)
    return Findings(
        kind=kind,
        severity=severity,
        home_id=events.home_id[rows],
        subject_id=events.device_id[rows],
        by_subject=by_subject,
        began=events.time[rows],
        figures=figures,
        late=(age >= events.late_s)[rows],
        event_id=events.event_id[rows],
    )
