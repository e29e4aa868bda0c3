"""Water: too little for somebody who is at home, or water that never stops.

Rules of the field: less than 0.01 m3 in 12 h; use in every half hour of 24 h, or more than 2 m3 a day, is a leak. So
much is one while it goes on: whoever has shut the tap must not be called back half a day later by what ran before.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Floats, Ints
from alerts.detect.findings import Findings
from alerts.detect.supplies import Water
from core.model import AlertKind, Severity

DAY_S: Final = 86_400.0
RECENT_S: Final = 3 * 3600.0  # so much in so long, at the rate that is too much for a day, goes on
DRY_TIMES: Final = 1.2  # x the longest usual time with so little, which is a night as a rule ...
MOST_S: Final = 14 * 3600.0  # ... and no more than that: the door begins the count anew, and people go out each day
SEEN_SHARE: Final = 0.9  # a meter that was heard for less of the time proves nothing


def find_low(now: float, water: Water, slack_s: float = 0.0) -> Findings:
    """Homes in which hardly any water has run, though somebody is at home. Arguments as in appliance_on.find."""
    limit = np.fmax(np.minimum(DRY_TIMES * water.dry_s, MOST_S), water.water_low_s)
    since = np.fmax(water.low_since, water.door_at)
    dry = np.where(np.isnan(water.low_since), np.nan, now - since)
    seen = water.seen_s >= SEEN_SHARE * (now - water.low_since)
    rows = np.flatnonzero(water.watched & ~water.out & seen & (dry >= limit + slack_s))
    return _findings(
        AlertKind.WATER_LOW,
        now,
        water,
        rows,
        {
            "low_at": since[rows],
            "silence_s": dry[rows],
            "litres": np.round(water.low_m3[rows] * 1000),
            "limit_litres": np.round(water.water_low_m3[rows] * 1000),
            "limit_s": limit[rows],
        },
    )


def find_running(now: float, water: Water, slack_s: float = 0.0) -> Findings:
    """Homes in which water runs without end, or far too much of it. Arguments as in appliance_on.find."""
    running = now - water.running_since
    endless = running >= water.water_running_s + slack_s
    goes_on = water.recent_m3 >= water.water_day_m3 * RECENT_S / DAY_S
    much = (water.day_m3 > water.water_day_m3) & goes_on
    rows = np.flatnonzero(endless | much)
    began = np.where(endless, water.running_since, now - DAY_S)[rows]
    return _findings(
        AlertKind.WATER_RUNNING,
        now,
        water,
        rows,
        {
            "low_at": began,
            "silence_s": now - began,
            "litres": np.round(water.day_m3[rows] * 1000),
            "limit_litres": np.round(water.water_day_m3[rows] * 1000),
        },
    )


def _findings(kind: AlertKind, now: float, water: Water, rows: Ints, figures: dict[str, Floats]) -> Findings:
    began = figures["low_at"]
    return Findings(
        kind=kind,
        severity=Severity.NORMAL,
        home_id=water.home_id[rows],
        subject_id=water.device_id[rows],
        by_subject=False,
        began=began,
        figures=figures,
        coverage={"from_at": began, "to_at": np.full(len(rows), now), "seen_s": water.seen_s[rows]},
    )
