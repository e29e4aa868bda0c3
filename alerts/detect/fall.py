"""Fall: confirmed by what follows within 90 s, which is the field's usual patience.

    OK button                            nobody is called
    a warning (1), then standing or      nobody is called: somebody sat on the floor
      moving in another room
    an alarm (2), then standing, and     nobody is called: the radar says "normal" and somebody moved after that;
      somebody moved within ten minutes    "normal" alone is no rising, some radars forget: then it is urgent
    an alarm (2), then moving elsewhere  a look today: a visitor may be walking there, or the radar is wrong
    else                                 urgent, as still down or unanswered, whether or not anything more is heard

An alarm that the radar does not withdraw is raised 90 s after it arrived.
"""

from typing import Final

import numpy as np

from alerts.detect.aftermath import Aftermath
from alerts.detect.arrays import Bools, UrgentEvents
from alerts.detect.findings import Findings
from alerts.detect.urgent import at_once
from core.metrics import BY_NAME
from core.model import AlertKind, Severity

GET_UP_S: Final = 90.0
ALARM: Final = 2
WITHDRAWN_S: Final = 600.0  # the radar itself says that nobody lies there any more: so long for a sign of it
STEP_S: Final = 3.0  # a movement as close to the fall as this may be part of it


def find(now: float, events: UrgentEvents, after: Aftermath) -> Findings:
    """Falls to raise now: confirmed or unanswered. `now` in epoch seconds."""
    take = ~in_time(now, events, after) & ~cancelled(events, after) & ~_elsewhere(events, after)
    return at_once(now, events, AlertKind.FALL, Severity.URGENT, take=take)


def find_moved(now: float, events: UrgentEvents, after: Aftermath) -> Findings:
    """Falls after which somebody moved elsewhere: worth a look today."""
    take = ~in_time(now, events, after) & ~cancelled(events, after) & _elsewhere(events, after)
    return at_once(now, events, AlertKind.FALL, Severity.NORMAL, take=take, followed="moved")


def waiting(now: float, events: UrgentEvents, after: Aftermath) -> Bools:
    """bool [events]: falls that are still given time; they are to be looked at again."""
    fell = events.metric == BY_NAME[AlertKind.FALL].id
    return np.asarray(fell & in_time(now, events, after) & ~cancelled(events, after), dtype=np.bool_)


def in_time(now: float, events: UrgentEvents, after: Aftermath) -> Bools:
    """bool [events]: falls that are still given time: 90 s, or ten minutes once the radar has withdrawn an alarm."""
    withdrawn = (events.value >= ALARM) & (events.off_at > events.time)
    return np.asarray(now - after.stored_at < np.where(withdrawn, WITHDRAWN_S, GET_UP_S), dtype=np.bool_)


def cancelled(events: UrgentEvents, after: Aftermath) -> Bools:
    """bool [events]: falls of which somebody has risen, or said that all is well. NaN compares false: never."""
    stood = events.off_at > events.time
    alarm = events.value >= ALARM
    rose = np.where(alarm, stood & (after.life_at >= events.off_at), stood | _elsewhere(events, after))
    return np.asarray((after.ok_at > events.time) | rose, dtype=np.bool_)


def _elsewhere(events: UrgentEvents, after: Aftermath) -> Bools:
    return np.asarray(after.elsewhere_at > events.time + STEP_S, dtype=np.bool_)
