"""A home's routine: when its person rises, how long they stay in the bathroom or away, what it draws at which hour.

Everything is the longest or latest of the past weeks, in quarters of an hour: a limit above it would not have spoken
in those weeks. Guests and absences are kept in on purpose; what was not seen (a hole in what was received) teaches
nothing, and a carer who comes early teaches no early rising (detect/visits.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats
from alerts.detect.not_risen import DAWN_S
from alerts.detect.quarters import DAY_S, QUARTER_S, Quarters
from alerts.detect.visits import NO_VISITS, Past, visited_quarters

LEARN_DAYS: Final = 7
MEMORY_DAYS: Final = 28
OUTAGES: Final = 4  # of the gaps in what is heard, so many may be outages
UP_WITHIN: Final = 6  # quarters after the first sign of the day in which another must follow: else it was the night
LATEST_RISE_S: Final = 14 * 3600.0
TRICKLE_M3: Final = 0.0005
LOW_M3: Final = 0.01  # as the policy `water_low_m3`
ABSENT_S: Final = 20 * 60.0
USUAL_NIGHTS: Final = 2  # leaving in an hour of the night on so many nights makes it usual
BASE_SHARE: Final = 10  # percentile of the quarters' lowest power that counts as base load


@dataclass(frozen=True)
class Routine:
    """What is stored of a home (`profile.data["routine"]`). Spans in seconds, NaN = not known.

    Attributes:
        rise_s: latest rising, after local midnight.
        stay_s: longest time seen nowhere but in the bathroom. away_s: longest absence.
        door_gap_s: longest time between two uses of the exterior door.
        dry_s: longest time in which hardly any water ran (LOW_M3) and the door was not used.
        radio_s: usual longest time in which no sensor of life said anything at all.
        base_w: base load. high_s: float64 [24], longest run of high power that began near each local hour. high_w:
            float64 [24], the most that those at least half as long drew for a whole quarter of an hour.
        night_out: bool [24], hours in which leaving is usual.
    """

    rise_s: float
    stay_s: float
    away_s: float
    door_gap_s: float
    dry_s: float
    radio_s: float
    base_w: float
    high_s: Floats
    high_w: Floats
    night_out: Bools


def learn(past: Quarters, zone_offset_s: float, appliance_w: float, visits: Past = NO_VISITS) -> Routine | None:
    """The routine behind `past` (of the last `MEMORY_DAYS`).

    Args:
        zone_offset_s: the home's zone, seconds east of UTC.
        appliance_w: from how much above the base load on power is high.
        visits: when carers were there.

    Returns:
        None when fewer than `LEARN_DAYS` are known.
    """
    alive = np.flatnonzero(past.life > 0)
    if not len(alive) or past.quarter[alive[-1]] - past.quarter[alive[0]] < LEARN_DAYS * DAY_S:
        return None
    base = _base_w(past.power_low)
    high_s, high_w = _high_runs(past, base + appliance_w, zone_offset_s)
    rises = _own_rises(past, zone_offset_s, visits)
    alive_at, own = past.quarter[past.life > 0], ~visited_quarters(visits, past.quarter[past.life > 0])
    return Routine(
        rise_s=float(np.nanmax(rises)) if not np.isnan(rises).all() else np.nan,
        stay_s=_longest_stay(past),
        away_s=_longest(alive_at, (past.door > 0)[past.life > 0] & own),
        door_gap_s=_longest(past.quarter[past.door > 0]),
        dry_s=_longest_dry(past),
        radio_s=_usual_quiet(past),
        base_w=base,
        high_s=high_s,
        high_w=high_w,
        night_out=_night_out(past, zone_offset_s),
    )


def rise_of_days(past: Quarters, zone_offset_s: float) -> Floats:
    """float64 [days]: when the person rose, seconds after local midnight, of each local day; NaN = not seen to.

    Rising is the first sign of a day room after dawn that another follows within an hour and a half.
    """
    up = np.flatnonzero(past.day > 0)
    local = past.quarter[up] + zone_offset_s
    day, clock = np.divmod(local, DAY_S)
    followed = np.append(np.diff(past.quarter[up]) <= UP_WITHIN * QUARTER_S, False)
    good = followed & (clock >= DAWN_S) & (clock < LATEST_RISE_S)
    days = np.unique(np.floor((past.quarter + zone_offset_s) / DAY_S))
    rises = np.full(len(days), np.nan)
    first_day, first = np.unique(day[good], return_index=True)
    rises[np.searchsorted(days, first_day)] = clock[good][first] + QUARTER_S
    return rises


def _own_rises(past: Quarters, zone_offset_s: float, visits: Past) -> Floats:
    """The same without the days on which the first who moved in the rooms of the day may have been a carer."""
    rises = rise_of_days(past, zone_offset_s)
    midnights = np.unique(np.floor((past.quarter + zone_offset_s) / DAY_S)) * DAY_S - zone_offset_s
    return np.where(visited_quarters(visits, midnights + rises - QUARTER_S), np.nan, rises)


def _longest(quarters: Floats, begins: Bools | None = None) -> float:
    """The longest time from one of `quarters` to the next; of those that begin where `begins` says so."""
    gaps = np.diff(quarters)
    if begins is not None:
        gaps = gaps[begins[:-1]]
    return float(gaps.max()) if len(gaps) else np.nan


def _longest_stay(past: Quarters) -> float:
    """The longest time between two signs elsewhere with one in the bathroom between them."""
    elsewhere = np.flatnonzero(past.life > past.bath)
    if len(elsewhere) < 2 or not past.bath.any():
        return np.nan
    baths = np.concatenate([[0], np.cumsum(past.bath > 0)])
    between = baths[elsewhere[1:]] - baths[elsewhere[:-1] + 1] > 0
    also = (past.bath[elsewhere[:-1]] > 0) | (past.bath[elsewhere[1:]] > 0)
    gaps = np.diff(past.quarter[elsewhere])
    # within the first or the last quarter of a gap the bathroom may have come first: such a gap is one of a stay
    # only when it is short, for a night also ends with a visit
    stays = gaps[between | (also & (gaps <= 2 * QUARTER_S))]
    return float(stays.max()) if len(stays) else np.nan


def _longest_dry(past: Quarters) -> float:
    """The longest time in which less than LOW_M3 ran and the exterior door was not used."""
    ran = np.nan_to_num(past.water_m3)
    if not (ran > TRICKLE_M3).any():
        return np.nan
    doors = np.flatnonzero(past.door > 0)
    total = np.cumsum(ran)
    begin = np.flatnonzero((ran > TRICKLE_M3) | (past.door > 0))  # a dry time begins after one of these
    drawn = np.searchsorted(total, total[begin] + LOW_M3 - 1e-9)  # the column in which so much has run since
    used = np.append(doors, len(total))[np.searchsorted(doors, begin, side="right")]
    until = np.minimum(drawn, used)
    done = until < len(total)  # the last may still go on
    return float((past.quarter[until[done]] - past.quarter[begin[done]]).max()) if done.any() else np.nan


def _usual_quiet(past: Quarters) -> float:
    """The longest time without a word of any sensor of life, but for the few that were outages."""
    gaps = np.sort(np.diff(past.quarter[past.radio > 0]))
    return float(gaps[-1 - OUTAGES]) if len(gaps) > OUTAGES else np.nan


def _base_w(power_low: Floats) -> float:
    known = power_low[~np.isnan(power_low)]
    return float(np.percentile(known, BASE_SHARE)) if len(known) else np.nan


def _high_runs(past: Quarters, threshold_w: float, zone_offset_s: float) -> tuple[Floats, Floats]:
    """float64 [24] each: the longest run of quarters above the threshold, by the local hour of its start, +- 1 h, and
    the highest of the quarters of those at least half as long."""
    longest, most_w = np.full(24, np.nan), np.full(24, np.nan)
    if np.isnan(threshold_w):
        return longest, most_w
    high = past.power_low >= threshold_w  # NaN compares false
    joined = np.concatenate([[False], high[1:] & high[:-1] & (np.diff(past.quarter) == QUARTER_S)])
    starts = np.flatnonzero(high & ~joined)
    ends = np.flatnonzero(high & ~np.append(joined[1:], False))
    length = past.quarter[ends] - past.quarter[starts] + QUARTER_S
    hour = ((past.quarter[starts] + zone_offset_s) % DAY_S // 3600).astype(np.int64)
    most = np.array([past.power_low[start : end + 1].max() for start, end in zip(starts, ends, strict=True)])
    for of_day in range(24):
        near = np.isin(hour, [(of_day - 1) % 24, of_day, (of_day + 1) % 24])
        if near.any():
            longest[of_day] = length[near].max()
            most_w[of_day] = most[near & (2 * length >= longest[of_day])].max()
    return longest, most_w


def _night_out(past: Quarters, zone_offset_s: float) -> Bools:
    """bool [24]: local hours in which the door was the last sign for a while on several nights (+- 1 hour).

    Who wanders comes back and leaves again in the same night: that is no habit.
    """
    alive = np.flatnonzero(past.life > 0)
    gaps = np.append(np.diff(past.quarter[alive]), 0)
    left = past.quarter[alive[(past.door[alive] > 0) & (gaps > ABSENT_S)]] + zone_offset_s
    nights, night = np.unique((left - DAY_S / 2) // DAY_S, return_inverse=True)  # from noon to noon
    out = np.zeros((len(nights), 24), dtype=np.bool_)
    out[night, (left % DAY_S // 3600).astype(np.int64)] = True
    around = out | np.roll(out, 1, axis=1) | np.roll(out, -1, axis=1)
    return np.asarray(around.sum(axis=0) >= USUAL_NIGHTS, dtype=np.bool_)
