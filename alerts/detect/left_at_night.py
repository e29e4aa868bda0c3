"""Left at night: the exterior door in the hours of sleep, and nobody seen since. A walk at a usual hour is none."""

import numpy as np

from alerts.detect.findings import Findings
from alerts.detect.whereabouts import DAY_S, Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes whose person left at night. Arguments as in not_risen.find."""
    clock = (homes.life_at - homes.midnight) % DAY_S
    night = (clock >= homes.night_from_s) | (clock < homes.night_until_s)
    hour = np.nan_to_num(clock // 3600).astype(np.int64)
    usual = homes.night_out[np.arange(len(hour)), hour]
    away = now - homes.life_at
    rows = np.flatnonzero(
        homes.out & night & ~usual & homes.watched & (away >= homes.left_at_night_s + slack_s) & (away < DAY_S)
    )
    return of_homes(
        AlertKind.LEFT_AT_NIGHT,
        Severity.URGENT,
        now,
        homes,
        rows,
        homes.life_at[rows],
        {"left_at": homes.life_at[rows], "away_s": away[rows], "limit_s": homes.left_at_night_s[rows]},
    )
