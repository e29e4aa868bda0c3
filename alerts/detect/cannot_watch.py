"""Cannot watch: no sensor of the home that shows life can be seen. No data is not no activity.

A home with no such sensor at all (only an SOS button) is not watched by design and raises nothing.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Homes
from alerts.detect.findings import Findings
from core.model import AlertKind, Severity

BEHIND_S: Final = 900.0  # a gateway whose own readings are older than this sends a backlog: what we see is the past
CATCH_UP_S: Final = 3600.0  # and after this long it will not catch up by itself


def find(now: float, homes: Homes, slack_s: float = 0.0) -> Findings:
    """Homes that cannot be watched.

    Args:
        now: epoch seconds.
        slack_s: how long a reading may be under way; added to every limit.
    """
    blind = (homes.life_devices > 0) & (now > homes.seen_until + slack_s)
    stuck = behind(now, homes, slack_s) & (now - homes.online_since >= CATCH_UP_S)
    rows = np.flatnonzero(blind | stuck)
    began = np.where(blind, homes.seen_until, homes.measured_until)[rows]
    return Findings(
        kind=AlertKind.CANNOT_WATCH,
        severity=Severity.NOTICE,
        home_id=homes.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,
        began=began,
        figures={"seen_at": began, "life_at": homes.life_at[rows], "sensors": homes.life_devices[rows]},
        coverage={
            "to_at": began,
            "sensors": homes.life_devices[rows],
            "sensors_seen": homes.life_devices_seen[rows],
        },
    )


def watched(now: float, homes: Homes, slack_s: float = 0.0) -> Bools:
    """bool [homes]: whether silence means anything now. Never seen at all counts as not watched."""
    seen = (homes.life_devices > 0) & (now <= homes.seen_until + slack_s)
    return np.asarray(seen & ~behind(now, homes, slack_s), dtype=np.bool_)


def behind(now: float, homes: Homes, slack_s: float = 0.0) -> Bools:
    """bool [homes]: whether the gateway is still sending its backlog. NaN `measured_until` = it is not."""
    return np.asarray(now - homes.measured_until > BEHIND_S + slack_s, dtype=np.bool_)
