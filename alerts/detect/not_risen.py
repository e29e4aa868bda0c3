"""Not risen: by the usual time nobody has been seen in the rooms of the day, and nobody left.

The limit is the latest rising of the past weeks plus a margin; 11:00 where no habit is known. A night's way to the
toilet is no rising: only rooms in which nobody sleeps or washes count. Water that was drunk in the kitchen at 04:30
does: what happens after that is inactivity's.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.findings import Findings
from alerts.detect.whereabouts import Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity

DAWN_S: Final = 4 * 3600.0  # local; what is seen before belongs to the night
DUSK_S: Final = 18 * 3600.0  # nobody rises for the first time after that: inactivity has spoken long before
SEEN_S: Final = 3 * 3600.0  # a gateway that came back later than dawn must have been there for so long


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes in which nobody has risen. `now` in epoch seconds; `slack_s`: how long a reading may be under way."""
    limit = limit_s(homes)
    clock = now - homes.midnight
    seen_down = ~(homes.day_at >= homes.midnight + DAWN_S)  # NaN: never seen there
    at_home = ~homes.out & ~np.isnan(homes.life_at)
    seen = (homes.seen_since <= homes.midnight + DAWN_S) | (now - homes.seen_since >= SEEN_S)
    due = (clock >= limit + slack_s) & (clock < DUSK_S)
    rows = np.flatnonzero(due & seen_down & at_home & seen & homes.watched & (homes.day_sensors > 0))
    return of_homes(
        AlertKind.NOT_RISEN,
        Severity.URGENT,
        now,
        homes,
        rows,
        homes.midnight[rows] + DAWN_S,
        {
            "last_at": homes.life_at[rows],
            "usual_clock_s": homes.rise_s[rows],
            "limit_at": homes.midnight[rows] + limit[rows],
        },
    )


def limit_s(homes: Whereabouts) -> Floats:
    """float64 [homes]: by when somebody should have risen, seconds after local midnight."""
    personal = homes.rise_s + homes.not_risen_margin_s
    return np.asarray(np.where(np.isnan(personal), homes.not_risen_s, personal), dtype=np.float64)
