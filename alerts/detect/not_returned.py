"""Not returned: the last sign of life was the exterior door, and nobody since.

The usual rule for a door contact is 24 h (Shanghai), 48 h (Hong Kong). It is also the second net under a wrong
guess that somebody left: whoever came in and fell right behind the door is missed by `inactivity` only.
"""

import numpy as np

from alerts.detect.arrays import Homes
from alerts.detect.cannot_watch import watched
from alerts.detect.findings import Findings
from alerts.detect.inactivity import planned_away, went_out
from core.model import AlertKind, Severity


def find(now: float, homes: Homes, slack_s: float = 0.0) -> Findings:
    """Homes whose person left too long ago. Arguments as in inactivity.find."""
    away = now - homes.life_at - homes.unseen_s
    mine = went_out(homes) & ~planned_away(now, homes)
    rows = np.flatnonzero((away >= homes.not_returned_s + slack_s) & mine & watched(now, homes, slack_s))
    return Findings(
        kind=AlertKind.NOT_RETURNED,
        severity=Severity.NORMAL,
        home_id=homes.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,
        began=homes.life_at[rows],
        figures={
            "left_at": homes.life_at[rows],
            "away_s": away[rows],
            "limit_s": homes.not_returned_s[rows],
        },
        coverage={
            "from_at": homes.life_at[rows],
            "to_at": np.full(len(rows), now),
            "unseen_s": homes.unseen_s[rows],
            "sensors": homes.life_devices[rows],
            "sensors_seen": homes.life_devices_seen[rows],
        },
    )
