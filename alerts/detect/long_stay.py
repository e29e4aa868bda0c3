"""Long stay: the person went into the bathroom or toilet and was seen nowhere else since.

Movement in there does not end it: who cannot get up moves. The time counts from the last sign elsewhere. Rule in
use: 4 to 5 h; with a habit, `margin` times the longest such time of the past weeks, never below the floor.
"""

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.findings import Findings
from alerts.detect.whereabouts import Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes whose person is in the bathroom for too long. Arguments as in not_risen.find."""
    limit = limit_s(homes)
    stay = now - homes.elsewhere_at
    inside = (homes.bath_at > homes.elsewhere_at) & ~homes.resting
    inside &= (homes.elsewhere_sensors > 0) & homes.elsewhere_whole
    rows = np.flatnonzero(inside & homes.watched & (stay >= limit + slack_s))
    return of_homes(
        AlertKind.LONG_STAY,
        Severity.URGENT,
        now,
        homes,
        rows,
        homes.elsewhere_at[rows],
        {
            "last_at": homes.bath_at[rows],
            "elsewhere_at": homes.elsewhere_at[rows],
            "room": homes.bath_room[rows],
            "silence_s": stay[rows],
            "limit_s": limit[rows],
            "usual_s": homes.stay_s[rows],
        },
    )


def limit_s(homes: Whereabouts) -> Floats:
    """float64 [homes]: how long nobody may be seen elsewhere, seconds."""
    personal = np.maximum(homes.margin * homes.stay_s, homes.long_stay_floor_s)
    return np.asarray(np.fmin(personal, homes.long_stay_s), dtype=np.float64)
