"""Signs of life from a smart meter alone: somebody switched something on.

An appliance that is switched on is a step up in the home's power. A fridge, a boiler or a pump makes steps too, but it
makes them by night as by day. So steps are sorted by size, and a size counts as a person's only where the home's own
past shows that it has quiet hours: in the quietest third of the day it comes much more rarely than on average. Until
that is known only large steps count (a kettle, a cooker).

A value that stands still to the watt for an hour is an outage that somebody has filled, not a quiet home.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.memory import DAY_S

APART_S: Final = 300.0  # two values further apart show no step
LEAST_W: Final = 40.0  # smaller steps are noise
SIZES: Final = 24  # classes of size: half octaves from LEAST_W on
LARGE_W: Final = 1000.0  # of a home that is not known yet only these count
KEEP_A_DAY: Final = 0.965  # what is learned of the steps is worth a third after a month
ENOUGH: Final = 20  # steps of one size to know it by
MACHINE: Final = (
    0.35  # a size that comes at least this much as often in its quietest hours as on average is a machine's
)
FLAT_S: Final = 3600.0
_WINDOW_HOURS: Final = 8


@dataclass(frozen=True)
class Steps:
    """Steps up in power, in time order.

    Attributes:
        time: float64 [steps], epoch seconds.
        size: int64 [steps], class of size, 0 .. SIZES - 1.
    """

    time: Floats
    size: Ints


def steps(time: Floats, watts: Floats) -> Steps:
    """Steps up between values that follow each other closely; a rise over several values is one step, at its top.

    Args:
        time: epoch seconds, rising. watts: the meter's power.
    """
    rise = np.diff(watts)
    close = np.diff(time) <= APART_S
    up = (rise > 0) & close
    first = np.flatnonzero(up & ~np.append(False, up[:-1]))
    ends = np.flatnonzero(up & ~np.append(up[1:], False)) + 1
    height = watts[ends] - watts[first]
    big = height >= LEAST_W
    return Steps(time[ends[big]], size_of(height[big]))


def size_of(height_w: Floats) -> Ints:
    """int64: the class of each height in watts."""
    return np.asarray(np.clip(np.floor(2 * np.log2(height_w / LEAST_W)), 0, SIZES - 1), dtype=np.int64)


def by_hour(seen: Steps, zone_offset_s: float) -> Floats:
    """float64 [SIZES, 24]: how many steps of each size came in each hour of the local day."""
    counts = np.zeros((SIZES, 24))
    np.add.at(counts, (seen.size, (((seen.time + zone_offset_s) % DAY_S) // 3600).astype(np.int64)), 1.0)
    return counts


def persons(counts: Floats) -> Bools:
    """bool [SIZES]: which sizes are a person's doing.

    Args:
        counts: float64 [SIZES, 24], as `by_hour` of the past, older days worth less.
    """
    round_the_clock = np.concatenate([counts, counts[:, : _WINDOW_HOURS - 1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(round_the_clock, _WINDOW_HOURS, axis=1).sum(axis=2)
    total = counts.sum(axis=1)
    quietest = windows.min(axis=1) * 24 / _WINDOW_HOURS
    large = np.arange(SIZES) >= size_of(np.array([LARGE_W]))[0]
    return np.asarray(np.where(total >= ENOUGH, quietest < MACHINE * total, large), dtype=np.bool_)


def signs(seen: Steps, zone_offset_s: float) -> Floats:
    """float64 [signs]: the moments at which a person switched something on, each day judged by the days before it."""
    day = np.floor((seen.time + zone_offset_s) / DAY_S)
    mine = np.zeros(len(seen.time), dtype=np.bool_)
    past = np.zeros((SIZES, 24))
    for today in np.unique(day):
        rows = day == today
        mine[rows] = persons(past)[seen.size[rows]]
        past = KEEP_A_DAY * past + by_hour(Steps(seen.time[rows], seen.size[rows]), zone_offset_s)
    return seen.time[mine]


def outages(time: Floats, watts: Floats) -> Floats:
    """float64 [outages, 2]: from and to, where nothing came or where the value stood still for FLAT_S."""
    if not len(time):
        return np.zeros((0, 2))
    gaps = np.flatnonzero(np.diff(time) > FLAT_S / 2)
    found = [(float(time[gap]), float(time[gap + 1])) for gap in gaps]
    edges = np.flatnonzero(np.append(True, np.diff(watts) != 0))
    until = np.append(edges[1:], len(watts)) - 1
    found += [
        (float(time[first]), float(time[last]))
        for first, last in zip(edges, until, strict=True)
        if time[last] - time[first] >= FLAT_S
    ]
    return np.array(sorted(found), dtype=np.float64).reshape(-1, 2)
