"""Signs of life from a smart meter alone: somebody switched something on or off.

An appliance that is switched on is a step up in the home's power, and one that is switched off a step down. A fridge, a
boiler or a pump makes steps too, but it makes them by night as by day. So steps are sorted by direction and size, and
such a class counts as a person's only where the home's own past shows that it has quiet hours: in the quietest third of
the day it comes much more rarely than on average. Until that is known only large steps count (a kettle, a cooker).

A value that stands still to the watt for an hour is an outage that somebody has filled, not a quiet home. Some meters
speak each quarter of an hour, some only when the value changes, some in steps of ten watts: so how long a meter says
nothing, and nothing new, is learned of each (`Usual`), and only far more than that is an outage.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.memory import DAY_S

APART_S: Final = 300.0  # two values further apart show no step, but of a meter that usually speaks more seldom
APART_TIMES: Final = 1.5  # x the longest usual gap
LEAST_W: Final = 20.0  # smaller steps are noise
HEIGHTS: Final = 24  # half octaves from LEAST_W on
SIZES: Final = 2 * HEIGHTS  # classes of steps: those up by height, then those down
LARGE_W: Final = 1000.0  # of a home that is not known yet only these count
KEEP_A_DAY: Final = 0.965  # what is learned of the steps is worth a third after a month
ENOUGH: Final = 20  # steps of one class to know it by
MACHINE: Final = (
    0.35  # a size that comes at least this much as often in its quietest hours as on average is a machine's
)
SILENT_S: Final = 1800.0  # so long no value at all is an outage, and so long the same one:
FLAT_S: Final = 3600.0
OUTAGE_TIMES: Final = 3.0  # or so many times what is usual, where that is longer
MOST_S: Final = 6 * 3600.0  # but no longer than the policy `stuck_s`, from which on no sensor that stands is a witness
USUAL_DAYS: Final = 28
_WINDOW_HOURS: Final = 8


@dataclass(frozen=True)
class Usual:
    """How seldom a meter speaks; floats, or float64 [values] where it is known of each value's time; NaN = not known.

    Attributes:
        gap_s: the longest time between two of its values on a usual day. still_s: between two changes of its value.
    """

    gap_s: Floats | float
    still_s: Floats | float

    @property
    def apart_s(self) -> Floats:
        """Two values further apart show no step."""
        return np.asarray(np.minimum(np.fmax(APART_TIMES * self.gap_s, APART_S), self.silent_s), dtype=np.float64)

    @property
    def silent_s(self) -> Floats:
        """So long without a value is an outage."""
        return np.asarray(np.clip(np.fmax(OUTAGE_TIMES * self.gap_s, SILENT_S), None, MOST_S), dtype=np.float64)

    @property
    def flat_s(self) -> Floats:
        """So long with the same value is an outage that was filled."""
        return np.asarray(np.clip(np.fmax(OUTAGE_TIMES * self.still_s, FLAT_S), None, MOST_S), dtype=np.float64)


UNKNOWN: Final = Usual(np.nan, np.nan)


@dataclass(frozen=True)
class Days:
    """A meter's last days, oldest first.

    Attributes:
        day: int64 [days], days since 1970 in UTC.
        gap_s, still_s: float64 [days], the longest of that day, see `Usual`; NaN = none ended on it.
    """

    day: Ints
    gap_s: Floats
    still_s: Floats

    def usual(self) -> Usual:
        """What holds after these days. Half of them may have had an outage: the median, of two days the shorter."""
        return Usual(_median(self.gap_s), _median(self.still_s))

    def before(self, day: int) -> "Days":
        """The last `USUAL_DAYS` of those before `day`."""
        end = int(np.searchsorted(self.day, day))
        kept = slice(max(end - USUAL_DAYS, 0), end)
        return Days(self.day[kept], self.gap_s[kept], self.still_s[kept])

    def then(self, later: "Days") -> "Days":
        """These, and the later ones instead of their own from the first of those on."""
        old = self.before(int(later.day[0])) if len(later.day) else self
        joined = Days(
            np.append(old.day, later.day), np.append(old.gap_s, later.gap_s), np.append(old.still_s, later.still_s)
        )
        return joined.before(int(joined.day[-1]) + 1) if len(joined.day) else joined


NO_DAYS: Final = Days(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Steps:
    """Steps in power, in time order.

    Attributes:
        time: float64 [steps], epoch seconds.
        size: int64 [steps], class, 0 .. SIZES - 1.
    """

    time: Floats
    size: Ints


def steps(time: Floats, watts: Floats, usual: Usual = UNKNOWN, stood_since: float = np.nan) -> Steps:
    """Steps between values that follow each other closely; a rise over several values is one step, at its top.

    What is higher or lower after an outage, filled or not, is no step: nobody knows when it became so.

    Args:
        time: epoch seconds, rising. watts: the meter's power.
        stood_since: since when its first value had stood; NaN = not before.
    """
    if len(time) < 2:
        return Steps(np.zeros(0), np.zeros(0, np.int64))
    close = np.diff(time) <= np.broadcast_to(usual.apart_s, len(time))[1:]
    start, last = _stands(time, watts, usual, stood_since)
    flat = last[_is_flat(time, start, last, usual)]
    close[flat[flat < len(close)]] = False
    up_at, up_w = _rises(watts, close)
    down_at, down_w = _rises(-watts, close)
    at = np.append(up_at, down_at)
    order = np.argsort(at)
    return Steps(time[at[order]], np.append(height_of(up_w), HEIGHTS + height_of(down_w))[order])


def _rises(watts: Floats, close: Bools) -> tuple[Ints, Floats]:
    """Where rises of at least LEAST_W end, and their heights. `close`: which two neighbours may show one."""
    up = (np.diff(watts) > 0) & close
    first = np.flatnonzero(up & ~np.append(False, up[:-1]))
    ends = np.flatnonzero(up & ~np.append(up[1:], False)) + 1
    height = watts[ends] - watts[first]
    big = height >= LEAST_W
    return ends[big], height[big]


def height_of(watts: Floats) -> Ints:
    """int64: the half octave of each height of a step, 0 .. HEIGHTS - 1."""
    return np.asarray(np.clip(np.floor(2 * np.log2(watts / LEAST_W)), 0, HEIGHTS - 1), dtype=np.int64)


def by_hour(seen: Steps, zone_offset_s: float) -> Floats:
    """float64 [SIZES, 24]: how many steps of each class came in each hour of the local day."""
    counts = np.zeros((SIZES, 24))
    np.add.at(counts, (seen.size, (((seen.time + zone_offset_s) % DAY_S) // 3600).astype(np.int64)), 1.0)
    return counts


def persons(counts: Floats) -> Bools:
    """bool [SIZES]: which classes of steps are a person's doing.

    Args:
        counts: float64 [SIZES, 24], as `by_hour` of the past, older days worth less.
    """
    round_the_clock = np.concatenate([counts, counts[:, : _WINDOW_HOURS - 1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(round_the_clock, _WINDOW_HOURS, axis=1).sum(axis=2)
    total = counts.sum(axis=1)
    quietest = windows.min(axis=1) * 24 / _WINDOW_HOURS
    large = np.arange(SIZES) % HEIGHTS >= height_of(np.array([LARGE_W]))[0]
    return np.asarray(np.where(total >= ENOUGH, quietest < MACHINE * total, large), dtype=np.bool_)


def signs(seen: Steps, zone_offset_s: float) -> Floats:
    """float64 [signs]: the moments at which a person switched something, each day judged by the days before it."""
    day = np.floor((seen.time + zone_offset_s) / DAY_S)
    mine = np.zeros(len(seen.time), dtype=np.bool_)
    past = np.zeros((SIZES, 24))
    for today in np.unique(day):
        rows = day == today
        mine[rows] = persons(past)[seen.size[rows]]
        past = KEEP_A_DAY * past + by_hour(Steps(seen.time[rows], seen.size[rows]), zone_offset_s)
    return seen.time[mine]


def outages(time: Floats, watts: Floats, usual: Usual = UNKNOWN, stood_since: float = np.nan) -> Floats:
    """float64 [outages, 2]: from and to, where nothing came or where the value stood still, longer than is usual.

    No two overlap. The last may still go on: with the last value stands what it began with.

    Args:
        time, watts, stood_since: as for `steps`.
    """
    if not len(time):
        return np.zeros((0, 2))
    gap = np.flatnonzero(np.diff(time) > np.broadcast_to(usual.silent_s, len(time))[1:])
    start, last = _stands(time, watts, usual, stood_since)
    flat = _is_flat(time, start, last, usual)
    found = np.concatenate(
        [np.column_stack([time[gap], time[gap + 1]]), np.column_stack([start[flat], time[last[flat]]])]
    )
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def changed_at(time: Floats, watts: Floats, usual: Usual, stood_since: float = np.nan) -> float:
    """Since when the last value stands, or since when after a gap it came; arguments as for `outages`."""
    return float(_stands(time, watts, usual, stood_since)[0][-1])


def unseen_s(outages_of: Floats, since: float, until: float) -> float:
    """How much of a span lies in these outages."""
    overlap = np.minimum(outages_of[:, 1], until) - np.maximum(outages_of[:, 0], since)
    return float(np.maximum(overlap, 0.0).sum())


def days_of(time: Floats, watts: Floats) -> Days:
    """What each day says of how seldom the meter speaks; a gap counts on the day on which it ends."""
    change = np.append(True, np.diff(watts) != 0)[: len(time)]
    moved = time[change]
    ends = [np.floor(part[1:] / DAY_S).astype(np.int64) for part in (time, moved)]
    day = np.unique(np.concatenate(ends))
    longest = np.full((2, len(day)), np.nan)
    for row, (part, end) in enumerate(zip((time, moved), ends, strict=True)):
        np.fmax.at(longest[row], np.searchsorted(day, end), np.diff(part))
    return Days(day, longest[0], longest[1])


def usual_of_values(time: Floats, watts: Floats) -> Usual:
    """How seldom a meter speaks as known at each of its values, from the days before that one."""
    days = days_of(time, watts)
    today, which = np.unique(np.floor(time / DAY_S).astype(np.int64), return_inverse=True)
    known = [days.before(int(day)).usual() for day in today]
    gap_s, still_s = (np.array([getattr(one, name) for one in known], np.float64) for name in ("gap_s", "still_s"))
    return Usual(gap_s[which], still_s[which])


def _stands(time: Floats, watts: Floats, usual: Usual, stood_since: float) -> tuple[Floats, Ints]:
    """When each run of the same value began, and the place of its last; an outage by a gap ends a run."""
    broken = (np.diff(watts) != 0) | (np.diff(time) > np.broadcast_to(usual.silent_s, len(time))[1:])
    first = np.flatnonzero(np.append(True, broken))
    start = time[first]
    start[0] = np.fmin(start[0], stood_since)
    return start, np.append(first[1:], len(time)).astype(np.int64) - 1


def _is_flat(time: Floats, start: Floats, last: Ints, usual: Usual) -> Bools:
    return np.asarray(time[last] - start >= np.broadcast_to(usual.flat_s, len(time))[last], dtype=np.bool_)


def _median(values: Floats) -> float:
    """The lower median of what is known; NaN of nothing."""
    known = np.sort(values[~np.isnan(values)])
    return float(known[(len(known) - 1) // 2]) if len(known) else np.nan
