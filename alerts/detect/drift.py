"""Drift: over weeks the nights grow more broken, the outings fewer, the rising later, the meals fewer.

Each day is summed up in four numbers. The last two weeks are compared with the four before them by their means, in
which the oddest days count as the next to them: one day in bed is no drift. Who declines mostly changes in more than
one way, so it is all changes for the worse together that must be large for this person (against what their days differ
by), and one of them large at all: that one is told. It is a note to the worker to talk about at the next visit, once a
week at most, never an alarm.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats, Ints
from alerts.detect.findings import Findings
from alerts.detect.quarters import DAY_S, QUARTER_S, Quarters
from alerts.detect.routine import rise_of_days
from core.model import AlertKind, Severity

FEATURES: Final = ("nights", "outings", "rising", "meals")
RISING: Final = FEATURES.index("rising")
WORSE: Final = np.array([1.0, -1.0, 1.0, -1.0])  # which direction is a worsening
LEAST: Final = np.array([2.0, 0.35, 2700.0, 0.7])  # quarters awake a night, outings a day, seconds, meals a day
RECENT_DAYS: Final = 14
EARLIER_DAYS: Final = 28
KNOWN_SHARE: Final = 0.7  # of the days of both spans that must be known
ODD_DAYS: Final = 14  # of so many days the lowest and the highest may be an accident
SIGMAS: Final = 4.25
OUTING_QUARTERS: Final = 2
MEALS: Final = ((5, 10), (10, 14), (16, 21))  # local hours
NIGHT: Final = (23, 5)


@dataclass(frozen=True)
class Trends:
    """One row a home.

    Attributes:
        home_id: int64 [homes].
        fitted_at: when the trend was last looked at, epoch seconds.
        recent, earlier: float64 [homes, 4], means of `FEATURES`; NaN = not known.
        sigmas: float64 [homes, 4], the change for the worse in standard errors, below 0 = for the better; NaN =
            not known.
    """

    home_id: Ints
    fitted_at: Floats
    recent: Floats
    earlier: Floats
    sigmas: Floats


def days_of(past: Quarters, zone_offset_s: float) -> tuple[Floats, Floats]:
    """(local day numbers [days], float64 [days, 4] of `FEATURES`); NaN where the day was seen for less than 20 h.

    A day without a sign from the kitchen says nothing of meals: nobody was in, or its sensor sees nobody. So do weeks
    without a use of the exterior door: none is watched, or its contact is dead.
    """
    local = past.quarter + zone_offset_s
    number = np.floor(local / DAY_S)
    days, index, seen = np.unique(number, return_inverse=True, return_counts=True)
    table = np.full((len(days), 4), np.nan)
    if not len(days):
        return days, table
    hour = local % DAY_S / 3600
    lively = past.life > 0
    awake = lively & ((hour >= NIGHT[0]) | (hour < NIGHT[1]))
    table[:, 0] = np.bincount(index, weights=awake, minlength=len(days))
    alive = np.flatnonzero(lively)
    gaps = np.append(np.diff(past.quarter[alive]), 0.0)
    left = alive[(past.door[alive] > 0) & (gaps > OUTING_QUARTERS * QUARTER_S)]
    table[:, 1] = np.bincount(index[left], minlength=len(days))
    table[:, 2] = rise_of_days(past, zone_offset_s)
    meals = np.zeros(len(days))
    for first, last in MEALS:
        cooking = (past.kitchen > 0) & (hour >= first) & (hour < last)
        meals += np.bincount(index, weights=cooking, minlength=len(days)) >= 2
    table[:, 3] = meals
    table[np.bincount(index, weights=past.kitchen > 0, minlength=len(days)) == 0, 3] = np.nan
    if not past.door.any():
        table[:, 1] = np.nan
    table[(seen < 80) | (np.bincount(index, weights=lively, minlength=len(days)) < 12)] = np.nan
    return days, table


def trend(days: Floats, table: Floats) -> tuple[Floats, Floats, Floats]:
    """(recent, earlier, sigmas), each float64 [4]. The last of `days` is not over and left out."""
    unknown = np.full(4, np.nan)
    if not len(days):
        return unknown, unknown, unknown
    age = days[-1] - days
    recent = table[(age >= 1) & (age <= RECENT_DAYS)]
    earlier = table[(age > RECENT_DAYS) & (age <= RECENT_DAYS + EARLIER_DAYS)]
    known_recent, known_earlier = (~np.isnan(recent)).sum(axis=0), (~np.isnan(earlier)).sum(axis=0)
    good = (known_recent >= KNOWN_SHARE * RECENT_DAYS) & (known_earlier >= KNOWN_SHARE * EARLIER_DAYS)
    if not good.any():
        return unknown, unknown, unknown
    recent_mean, earlier_mean = np.full(4, np.nan), np.full(4, np.nan)
    spread = np.full(4, np.nan)
    for column in np.flatnonzero(good):
        here, before = _without_odd_days(recent[:, column]), _without_odd_days(earlier[:, column])
        recent_mean[column], earlier_mean[column] = here.mean(), before.mean()
        spread[column] = np.sqrt(here.var() / len(here) + before.var() / len(before))
    return recent_mean, earlier_mean, _worse(recent_mean, earlier_mean) / np.maximum(spread, LEAST / 10)


def _worse(recent: Floats, earlier: Floats) -> Floats:
    """How much each feature changed for the worse."""
    return np.asarray((recent - earlier) * WORSE, dtype=np.float64)


def _without_odd_days(values: Floats) -> Floats:
    """The known ones in rising order, of which the outermost, one at each end for each two weeks, are as the next."""
    known = np.sort(values[~np.isnan(values)])
    odd = -(-len(known) // ODD_DAYS)
    return np.clip(known, known[odd], known[-1 - odd])


def find(now: float, trends: Trends) -> Findings:
    """Homes that change slowly for the worse; the feature that changed most speaks. `now` in epoch seconds."""
    known = ~np.isnan(trends.sigmas)
    together = np.where(known, np.maximum(trends.sigmas, 0), 0).sum(axis=1) / np.sqrt(np.maximum(known.sum(axis=1), 1))
    large = _worse(trends.recent, trends.earlier) >= LEAST  # NaN compares false
    rows = np.flatnonzero((together >= SIGMAS) & large.any(axis=1))
    what = np.where(large, trends.sigmas, -np.inf)[rows].argmax(axis=1)
    began = trends.fitted_at[rows] - RECENT_DAYS * DAY_S
    return Findings(
        kind=AlertKind.DRIFT,
        severity=Severity.NOTICE,
        home_id=trends.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,  # who declines changes now in this way more, now in that: it is one note
        began=began,
        figures={
            "trend": np.array(FEATURES, dtype=np.object_)[what],
            "recent": np.round(trends.recent[rows, what], 1),
            "earlier": np.round(trends.earlier[rows, what], 1),
            "recent_clock_s": np.where(what == RISING, trends.recent[rows, what], np.nan),
            "earlier_clock_s": np.where(what == RISING, trends.earlier[rows, what], np.nan),
        },
        coverage={"from_at": began - EARLIER_DAYS * DAY_S, "to_at": trends.fitted_at[rows]},
    )
