"""Fall: a radar's alarm at once, its warning only when the person has not got up within 90 s.

A sensor that says "alarm" (2) has waited itself. One that says "warning" (1) may have seen somebody sit on the
floor: about 90 s is the field's usual patience, and the state going back to 0 (standing) cancels.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, UrgentEvents
from alerts.detect.findings import Findings
from alerts.detect.urgent import at_once
from core.metrics import BY_NAME
from core.model import AlertKind, Severity

GET_UP_S: Final = 90.0
ALARM: Final = 2


def find(now: float, events: UrgentEvents) -> Findings:
    """Falls to raise now. `now` in epoch seconds."""
    stood_up = events.off_at > events.time  # NaN compares false: never said 0
    certain = events.value >= ALARM
    take = certain | ((now - events.time >= GET_UP_S) & ~stood_up)
    return at_once(now, events, AlertKind.FALL, Severity.URGENT, take=np.asarray(take, dtype=np.bool_))


def waiting(now: float, events: UrgentEvents) -> Bools:
    """bool [events]: warnings that are still given time to get up; they are to be looked at again."""
    warning = (events.metric == BY_NAME[AlertKind.FALL].id) & (events.value < ALARM)
    return np.asarray(warning & (now - events.time < GET_UP_S) & ~(events.off_at > events.time), dtype=np.bool_)
