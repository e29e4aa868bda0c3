"""Appliance on: long high power after the person left or lies still: a stove, an iron, a heater.

A run of high power that this home has at this hour anyway (a water heater on the night tariff) has its own, longer
limit; what is on beside it, so that the home draws much more than it does in such a run, has not. The run must have
gone on for as long after the last movement as before any alarm: who stirs a pot is there.
"""

from typing import Final

import numpy as np

from alerts.detect.findings import Findings
from alerts.detect.supplies import Power
from core.model import AlertKind, Severity

UNKNOWN_S: Final = 4 * 3600.0  # of a home whose water heater nobody knows yet
STILL_S: Final = 20 * 60.0


def find(now: float, power: Power, slack_s: float = 0.0) -> Findings:
    """Homes in which something has drawn much for too long with nobody by it.

    Args:
        now: epoch seconds.
        slack_s: how long a reading may be under way; added to every limit.
    """
    limit = np.where(power.known, np.fmax(power.margin * power.usual_s, power.appliance_s), UNKNOWN_S)
    beside = power.known & (now - power.above_since >= power.appliance_s + slack_s)
    beside &= ~(now - power.high_since >= limit + slack_s)
    since = np.where(beside, power.above_since, power.high_since)
    limit = np.where(beside, power.appliance_s, limit)
    run = now - since
    still = now - power.still_since
    rows = np.flatnonzero(power.watched & (run >= limit + slack_s) & (still >= STILL_S + slack_s))
    return Findings(
        kind=AlertKind.APPLIANCE_ON,
        severity=Severity.URGENT,
        home_id=power.home_id[rows],
        subject_id=power.device_id[rows],
        by_subject=False,
        began=since[rows],
        figures={
            "high_at": since[rows],
            "watts": np.round(power.watts[rows]),
            "base_watts": np.round(power.base_w[rows]),
            "last_at": power.still_since[rows],
            "silence_s": run[rows],
            "limit_s": limit[rows],
        },
        coverage={"from_at": since[rows], "to_at": np.full(len(rows), now)},
    )
