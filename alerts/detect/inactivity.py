"""Inactivity: no sign of life for longer than is usual here, though the home could be seen.

The rule in use is 12 h (Shanghai, Longgang). Once a home's habits are known (alerts/detect/habits.py) its limit
is `margin` times the longest silence that usually begins at this time of day: never above the rule, never
below the floor. Somebody on a bed or seat is not on the floor: there the longest silence of any hour counts.
Time in which nothing was received from the home is not silence and is taken off.
A silence that began at the exterior door is not inactivity: see not_returned.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Homes
from alerts.detect.cannot_watch import watched
from alerts.detect.findings import Findings
from core.model import AlertKind, Severity

# A motion sensor in the hall that fires while the door falls shut behind somebody is still part of leaving.
DOOR_GRACE_S: Final = 15.0


def find(now: float, homes: Homes, slack_s: float = 0.0) -> Findings:
    """Homes that are silent for too long.

    Args:
        now: epoch seconds.
        slack_s: how long a reading may be under way; added to every limit.
    """
    limit = limit_s(homes)
    silence = now - homes.life_at - homes.unseen_s
    rows = np.flatnonzero((silence >= limit + slack_s) & ~went_out(homes) & watched(now, homes, slack_s))
    return Findings(
        kind=AlertKind.INACTIVITY,
        severity=Severity.URGENT,
        home_id=homes.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,
        began=homes.life_at[rows],
        figures={
            "last_at": homes.life_at[rows],
            "room": homes.life_room[rows],
            "silence_s": silence[rows],
            "limit_s": limit[rows],
            "usual_s": homes.usual_s[rows],
        },
        coverage={
            "from_at": homes.life_at[rows],
            "to_at": np.full(len(rows), now),
            "unseen_s": homes.unseen_s[rows],
            "sensors": homes.life_devices[rows],
            "sensors_seen": homes.life_devices_seen[rows],
        },
    )


def limit_s(homes: Homes) -> Floats:
    """float64 [homes]: how long a silence may last, seconds. NaN `usual_s` = the plain rule."""
    personal = np.maximum(homes.margin * homes.usual_s, homes.floor_s)
    return np.asarray(np.fmin(personal, homes.rule_s), dtype=np.float64)


def went_out(homes: Homes) -> Bools:
    """bool [homes]: whether the silence began with somebody leaving: nothing but the door since, nobody resting."""
    with_door = homes.life_exterior | (homes.life_at - homes.door_at <= DOOR_GRACE_S)
    return np.asarray(with_door & ~homes.resting, dtype=np.bool_)
