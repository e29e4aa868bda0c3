"""Which of a home's sensors can be believed, by what they and the others said over weeks. Worked out each night.

A motion sensor that something was put before checks in and sees nobody. It is told by the others: when they have seen
somebody in far more quarters of an hour than ever pass between two of its own signs, it is taken for blind. A door
contact that was not heard for a day may have missed somebody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats

TIMES: Final = 1.5  # x the usual longest of a sensor's own
LEAST: Final = 12  # quarters: somebody who sits in one room all morning proves nothing
SIGNS: Final = 50  # so few signs of a sensor teach nothing
RELEARNED_S: Final = 14 * 86_400.0  # by then the home has been learned without it
HOLE_S: Final = 26 * 3600.0  # as `silent_battery_s`: a contact checks in once a day at least


@dataclass(frozen=True)
class Witnesses:
    """Of one home, one array a sensor: starts of quarter-hours, epoch seconds, rising, never empty.

    Attributes:
        doors: in which each contact of an exterior door was heard.
        movers: in which each motion sensor, but those of the hall, saw somebody; mover_ids: which devices they are.
    """

    doors: Sequence[Floats]
    movers: Sequence[Floats]
    mover_ids: Sequence[int]


def blind(lively: Floats, witnesses: Witnesses) -> dict[int, float]:
    """Device id -> the last quarter in which it saw somebody, of the motion sensors that seem to be blind since.

    Args:
        lively: quarters in which anything in the home showed life, epoch seconds, rising.
    """
    pairs = zip(witnesses.mover_ids, witnesses.movers, strict=True)
    return {device: float(seen[-1]) for device, seen in pairs if _blind(lively, seen)}


def unlearned(lively: Floats, since: Iterable[float]) -> int:
    """Of how many blind sensors, by since when they are, the home has not yet been learned without them."""
    return sum(bool(lively[-1] - moment <= RELEARNED_S) for moment in since)


def _blind(lively: Floats, seen: Floats) -> bool:
    if len(seen) < SIGNS:
        return False
    place = np.searchsorted(lively, seen)
    usual = np.partition(np.diff(place), -2)[-2]  # the longest but one: the longest was an accident
    return bool(len(lively) - 1 - place[-1] > max(TIMES * usual, LEAST))


def door_from(now: float, doors: Sequence[Floats]) -> float:
    """Since when every door's contact has been heard without a hole, epoch seconds; NaN = one is not, or there is none.

    Args:
        now: epoch seconds, when this is learned.
    """
    since = -np.inf
    for heard in doors:
        if now - heard[-1] > HOLE_S:
            return np.nan
        holes = np.flatnonzero(np.diff(heard) > HOLE_S)
        since = max(since, float(heard[holes[-1] + 1] if len(holes) else heard[0]))
    return since if np.isfinite(since) else np.nan
