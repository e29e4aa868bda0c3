"""Temperature: a room that has been too cold or too hot to live in for hours."""

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.findings import Findings
from alerts.detect.supplies import Climate
from core.model import AlertKind, Severity


def find_cold(now: float, climate: Climate, slack_s: float = 0.0) -> Findings:
    """Rooms that are too cold. Arguments as in appliance_on.find."""
    return _beyond(AlertKind.COLD, now, climate, climate.cold_since, climate.cold_c, slack_s)


def find_hot(now: float, climate: Climate, slack_s: float = 0.0) -> Findings:
    """Rooms that are too hot. Arguments as in appliance_on.find."""
    return _beyond(AlertKind.HEAT, now, climate, climate.hot_since, climate.heat_c, slack_s)


def _beyond(kind: AlertKind, now: float, climate: Climate, since: Floats, limit_c: Floats, slack_s: float) -> Findings:
    """One finding a home: the sensor for which it has lasted longest speaks for it."""
    rows = np.flatnonzero(now - since >= climate.climate_s + slack_s)
    rows = rows[np.argsort(since[rows], kind="stable")]
    _, first = np.unique(climate.home_id[rows], return_index=True)
    rows = rows[first]
    return Findings(
        kind=kind,
        severity=Severity.NORMAL,
        home_id=climate.home_id[rows],
        subject_id=climate.device_id[rows],
        by_subject=False,
        began=since[rows],
        figures={
            "since_at": since[rows],
            "room": climate.room[rows],
            "celsius": climate.celsius[rows],
            "limit_celsius": limit_c[rows],
            "silence_s": now - since[rows],
        },
        coverage={"from_at": since[rows], "to_at": climate.time[rows]},
    )
