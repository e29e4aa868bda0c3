"""What the home's gateway learns meanwhile: how long each device may be silent, told as `silence_limit`.

The rule is the gateway's own (gateway/quiet.py). Here it is asked once a day for all devices, not at each message, and
the time in which the gateway was without power counts like any other: the longest gap but one is what counts.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from core.configuration import Thresholds
from core.metrics import BY_NAME
from gateway.quiet import DAYS, Quiet
from gateway.watchdog import LIMIT_STEP
from simulator.events import Floats
from simulator.season.homes import SeasonHome

LIMIT: Final = BY_NAME["silence_limit"].id
DAY: Final = 86_400.0
Told = list[tuple[float, int, float]]  # (when, device, seconds)


def limits(home: SeasonHome, time: Floats, device: npt.NDArray[np.int32], start: float) -> Told:
    """The limits that have changed enough to be told, as the watchdog tells them.

    Args:
        time, device: of every message that the gateway heard; epoch seconds, rising.
        start: epoch seconds of the first day.
    """
    told: Told = []
    thresholds = Thresholds()
    for index in range(len(home.devices)):
        heard = time[device == index]
        day = ((heard[1:] - start) // DAY).astype(np.int64)
        longest = np.zeros(int(day.max(initial=-1)) + 1)
        np.maximum.at(longest, day, np.diff(heard))
        before: float | None = None
        mains = home.mains(index)
        for number in np.flatnonzero(longest).tolist():
            known = np.flatnonzero(longest[: number + 1])[-DAYS:]
            quiet = Quiet(days=dict(zip(known.tolist(), longest[known].tolist(), strict=True)))
            if quiet.usual_s() is None:
                continue
            first_s = thresholds.mains_s if mains else thresholds.battery_s
            limit = quiet.limit_s(mains=mains, first_s=first_s, most_s=thresholds.battery_most_s)
            if before is None or abs(limit - before) > LIMIT_STEP * before:
                told.append((start + (number + 1) * DAY, index, limit))
                before = limit
    return told
