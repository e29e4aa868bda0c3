"""A home's habits: how long its silences usually last, by the time of day at which they begin.

Learned from the quarter-hour sums: a silence runs from one quarter with a sign of life to the next one, whether
the person slept, sat still or was out. Outings are kept in on purpose: a door contact misses some of them, and
an unseen outing at the usual hour must not become an alarm.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats, Ints

QUARTER_S: Final = 900
DAY_S: Final = 86_400
LEARN_DAYS: Final = 7  # before that there is no profile
MEMORY_DAYS: Final = 28
NEAR_HOURS: Final = 2  # silences that began within so many hours of the day's hour are alike
HOLE_S: Final = 1800  # a silence with a longer hole in what was received teaches nothing
SPOKEN: Final = 0.95  # share of quarters with any reading from which on an empty quarter is a hole


@dataclass(frozen=True)
class Habits:
    """What is stored of a home (`profile.data`).

    Attributes:
        days: how many days they were learned from.
        longest_s: float64 [24], the longest silence that began within `NEAR_HOURS` of each local hour; NaN = none did.
        longest_any_s: the longest of any hour.
        spoken: share of the quarters in which anything was received; tells whether an empty quarter is a hole.
    """

    days: float
    longest_s: Floats
    longest_any_s: float
    spoken: float


def learn(quarters: Floats, life: Ints, zone_offset_s: float) -> Habits | None:
    """Habits from a home's past.

    Args:
        quarters: starts of the quarter-hours in which anything was received, epoch seconds, rising.
        life: signs of life in each of them.
        zone_offset_s: the home's zone, seconds east of UTC.

    Returns:
        None when fewer than `LEARN_DAYS` are known.
    """
    alive = np.flatnonzero(life > 0)
    if len(alive) < 2:
        return None
    span = quarters[alive[-1]] - quarters[alive[0]]
    if span < LEARN_DAYS * DAY_S:
        return None
    spoken = (alive[-1] - alive[0] + 1) / (span / QUARTER_S + 1)
    began, length = quarters[alive[:-1]], np.diff(quarters[alive])
    if spoken >= SPOKEN:
        received = np.diff(alive) * QUARTER_S
        whole = length - received <= HOLE_S
        began, length = began[whole], length[whole]
    hour = ((began + zone_offset_s) % DAY_S) / 3600
    longest = np.full(24, np.nan)
    for of_day in range(24):
        apart = np.abs(hour - (of_day + 0.5))
        near = np.minimum(apart, 24 - apart) <= NEAR_HOURS
        if near.any():
            longest[of_day] = length[near].max()
    return Habits(span / DAY_S, longest, float(length.max(initial=0.0)), float(spoken))


def usual_s(longest_s: Floats, longest_any_s: Floats, life_at: Floats, resting: "np.typing.NDArray[np.bool_]",
            zone_offset_s: Floats) -> Floats:  # fmt: skip
    """The longest usual silence for each home's present one.

    Args:
        longest_s: float64 [homes, 24]; NaN = not known.
        longest_any_s: float64 [homes].
        life_at: when the silence began, epoch seconds; NaN = never.
        resting: bool [homes].
        zone_offset_s: float64 [homes].

    Returns:
        float64 [homes], NaN = not known.
    """
    hour = np.nan_to_num(((life_at + zone_offset_s) % DAY_S) // 3600).astype(np.int64)
    by_hour = longest_s[np.arange(len(hour)), hour]
    usual = np.where(resting, longest_any_s, by_hour)
    return np.where(np.isnan(life_at), np.nan, usual)
