"""No door: somebody lives in there, and nobody came or went for days.

The rules in use, 24 h (Shanghai) and 48 h (Hong Kong), are for homes in which the door is the only sensor: who is not
heard of may lie there. Here somebody is seen to move, and it is about being shut in: never sooner than 96 h, and three
times the longest such time of the past weeks, up to eight days, which also hold until a home is known.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.findings import Findings
from alerts.detect.whereabouts import DAY_S, Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity

TIMES: Final = 3.0
LONGEST_S: Final = 8 * DAY_S  # nobody is left without a look for longer, however seldom the door is used


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes whose door was not used for days. Arguments as in not_risen.find."""
    limit = limit_s(homes)
    # A contact that was not heard may have missed somebody: only the time since it is heard again counts.
    began = np.maximum(homes.door_at, homes.door_from)  # NaN, not watched, stays NaN
    shut = now - began
    there = ~homes.out & (now - homes.life_at < DAY_S)
    rows = np.flatnonzero(homes.watched & there & (shut >= limit + slack_s))
    return of_homes(
        AlertKind.NO_DOOR,
        Severity.NORMAL,
        now,
        homes,
        rows,
        began[rows],
        {
            "left_at": began[rows],
            "silence_s": shut[rows],
            "limit_s": limit[rows],
            "usual_s": homes.door_gap_s[rows],
        },
    )


def limit_s(homes: Whereabouts) -> Floats:
    """float64 [homes]: how long nobody may come or go, seconds."""
    personal = np.fmin(TIMES * homes.door_gap_s, LONGEST_S)  # NaN: not known, the longest
    return np.asarray(np.maximum(personal, homes.no_door_s), dtype=np.float64)
