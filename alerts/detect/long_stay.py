"""Long stay: the person went into the bathroom or toilet and was seen nowhere else since.

Movement in there does not end it: who cannot get up moves. The time counts from the last sign elsewhere. Rule in
use: 4 to 5 h; with a habit, `margin` times the longest such time of the past weeks, never below the floor.

Who goes into the bathroom is seen on the way: somebody who was last seen elsewhere long before the first movement in
there was somewhere unseen meanwhile, and may be again, before a sensor that is blind, dead or that they sit too still
for. The same holds where a motion sensor elsewhere is known to be blind or stuck. Then the rule in use holds, and
somebody must have moved in there more often than who comes and goes.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats
from alerts.detect.findings import Findings
from alerts.detect.quarters import QUARTER_S
from alerts.detect.whereabouts import Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity

SEEN_S: Final = 3600.0  # a gateway that was away must be back for so long: who is well has been seen elsewhere by then
# Who is well goes there every two hours or so, for some minutes, and at bedtime twice: that is fewer hours of the clock
# with a movement than there are. A stay that is one has about as many.
VISIT_S: Final = 3600.0


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes whose person is in the bathroom for too long. Arguments as in not_risen.find."""
    limit = limit_s(homes)
    stay = now - homes.elsewhere_at
    inside = (homes.bath_at > homes.elsewhere_at) & ~homes.resting
    inside &= (homes.elsewhere_sensors > 0) & homes.elsewhere_whole
    seen = (homes.seen_since <= homes.elsewhere_at) | (now - homes.seen_since >= SEEN_S)
    inside &= seen & (~_unsure(homes) | (homes.bath_hours * VISIT_S >= limit))
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
    return allowed_s(_unsure(homes), homes.stay_s, homes.margin, homes.long_stay_floor_s, homes.long_stay_s)


def allowed_s(unsure: Bools, stay_s: Floats, margin: Floats, floor_s: Floats, rule_s: Floats) -> Floats:
    """float64 [homes]: the same; `unsure`: whether who is seen in the bathroom may have been elsewhere, unseen."""
    habit = np.fmin(np.maximum(margin * stay_s, floor_s), rule_s)
    return np.asarray(np.where(unsure, rule_s, habit), dtype=np.float64)


def _unsure(homes: Whereabouts) -> Bools:
    walked_in = homes.bath_from <= homes.elsewhere_at + QUARTER_S  # NaN compares false
    return homes.doubtful | ~walked_in
