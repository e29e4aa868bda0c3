"""The quiet spells that a present one is like: those that began so, at this hour. For explanation, not for verdicts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect.arrays import Floats
from alerts.detect.hazard import KINDS
from alerts.detect.memory import DAY_S, Memory
from alerts.detect.spells import Codes

HOURS: Final = 24
NEAR_HOURS: Final = 1.5  # that began within so long of the middle of the hour
ENOUGH: Final = 10  # from so many on, all but the longest are told of
Counts = NDArray[np.int16]


@dataclass(frozen=True)
class Alike:
    """One entry for each way of beginning and each hour of the local day; the last two axes.

    Attributes:
        count: int16 [..., kinds, hours], how many quiet spells of half an hour and more there were.
        shorter: int16, how many of them were no longer than `usual_min`.
        usual_min: int16, minutes.
    """

    count: Counts
    shorter: Counts
    usual_min: Counts


def alike(memory: Memory, zone_offset_s: float) -> Alike:
    """Of a home's memory. `zone_offset_s`: seconds east of UTC."""
    count, shorter, usual = np.zeros((3, KINDS, HOURS), dtype=np.int16)
    clock = ((memory.spells.at + zone_offset_s) % DAY_S) / 3600
    minutes = np.minimum(np.ceil(memory.spells.length_s / 60), np.iinfo(np.int16).max)
    for kind in range(KINDS):
        mine = memory.spells.began == kind
        for hour in range(HOURS):
            apart = np.abs(clock[mine] - (hour + 0.5))
            near = np.sort(minutes[mine][np.minimum(apart, 24 - apart) <= NEAR_HOURS])
            if len(near):
                told = len(near) - 1 if len(near) >= ENOUGH else len(near)
                count[kind, hour], shorter[kind, hour], usual[kind, hour] = len(near), told, near[told - 1]
    return Alike(count, shorter, usual)


def look_up(table: NDArray[np.int16], began: Codes, at: Floats, zone_offset_s: Floats) -> Floats:
    """float64 [silences]: of int16 [silences, kinds, hours] the entry of each silence; NaN where `at` is."""
    hour = np.nan_to_num((at + zone_offset_s) % DAY_S // 3600).astype(np.int64)
    found = table[np.arange(len(at)), began, hour].astype(np.float64)
    return np.where(np.isnan(at), np.nan, found)
