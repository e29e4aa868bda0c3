"""Personal limits: for each way a silence can begin and each half hour of the day, how long it may last.

They are worked out once a night (`fit`), so that the sweep only looks them up: two bytes a limit, 672 a home.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect import calibrate, hazard
from alerts.detect.arrays import Floats
from alerts.detect.calibrate import Tail
from alerts.detect.hazard import HALVES, KINDS, Surprise, half_of_day
from alerts.detect.memory import HOLE_S, Memory
from alerts.detect.spells import DOOR, Began, Codes

# Who leaves in the morning may be out for the day: a market, a clinic, a class, now and then and told to nobody. Old
# people are home for the evening meal, so they are waited for until then, and no longer than a working day.
DAY_OUT_FROM: Final = 10  # 05:00, in half hours
DAY_OUT_UNTIL: Final = 36  # 18:00
DAY_OUT_MOST_MIN: Final = 9 * 60
LEARN_DAYS: Final = 6.0  # so that the seventh night is the first to know a home
NEVER: Final = -1  # in a table of limits: for ever
UNKNOWN: Final = -2  # ... : the home is not known yet
Minutes = NDArray[np.int16]


@dataclass(frozen=True)
class Fit:
    """What one night's learning found, before a budget is applied.

    Attributes:
        surprise: of each silence. indoors, door: how often the home surprises, by where the silence began.
        twice_s: so long, or longer, a silence that began indoors has lasted twice; 0 = there were not two.
    """

    surprise: Surprise
    indoors: Tail
    door: Tail
    twice_s: float

    def threshold(self, began: Codes, budget_days: float) -> Floats:
        """float64 [silences]: how surprising each must be. Indoors and door have half of the budget each."""
        at_door = np.isin(began, DOOR)
        return np.where(at_door, self.door.threshold(2 * budget_days), self.indoors.threshold(2 * budget_days))

    def believed_a_day(self, budget_days: float) -> float:
        """How many false alarms a day these thresholds let through, as far as we can tell."""
        return sum(tail.rate(tail.threshold(2 * budget_days)) for tail in (self.indoors, self.door))


def fit(memory: Memory, zone_offset_s: float) -> Fit | None:
    """Learns a home. None when fewer than LEARN_DAYS are known."""
    if memory.days < LEARN_DAYS:
        return None
    counts = hazard.count(memory, zone_offset_s)
    known = hazard.learn(counts)
    indoors = np.sort(memory.spells.length_s[~np.isin(memory.spells.began, DOOR)])
    twice_s = float(indoors[-2]) if len(indoors) > 1 else 0.0
    return Fit(known, *calibrate.tails(memory, counts, zone_offset_s), twice_s)


def limits(known: Fit, budget_days: float) -> Minutes:
    """int16 [kinds, halves]: how many minutes a silence may last that begins so, then; NEVER = for ever.

    Args:
        budget_days: at most one false alarm in so many days.
    """
    began = np.repeat(np.arange(KINDS), HALVES).astype(np.int8)
    grown = hazard.grown(known.surprise, None, began, np.tile(np.arange(HALVES), KINDS))
    length_s = hazard.length_at(grown, known.threshold(began, budget_days))
    minutes = np.where(np.isinf(length_s), NEVER, np.ceil(length_s / 60))
    table = minutes.reshape(KINDS, HALVES).astype(np.int16)
    left = table[Began.LEFT]
    table[Began.LEFT] = np.where(left == NEVER, NEVER, np.maximum(left, DAY_OUT_MIN))
    return table


def _day_out() -> Minutes:
    half = np.arange(HALVES)
    minutes = np.minimum((DAY_OUT_UNTIL - half) * 30, DAY_OUT_MOST_MIN)
    return np.where((half >= DAY_OUT_FROM) & (half < DAY_OUT_UNTIL), minutes, 0).astype(np.int16)


DAY_OUT_MIN: Final = _day_out()  # int16 [halves]: the least that who left in each half hour is waited for, minutes


def limit_with_holes_s(
    minutes: Minutes, at: Floats, began: Codes, unseen_s: Floats, zone_offset_s: "Floats | float"
) -> Floats:
    """float64 [silences]: as `limit_s`, where so much of each was not received.

    What was done in a hole in what was received is not known: the silence that is left after it may be any of those
    that begin at its end.
    """
    usual = limit_s(minutes, at, began, zone_offset_s)
    holed = np.flatnonzero((unseen_s > HOLE_S) & ~np.isin(began, DOOR))
    if not len(holed):
        return usual
    part = minutes if minutes.ndim == 2 else minutes[holed]
    offset_s = np.broadcast_to(zone_offset_s, at.shape)[holed]
    for kind in (Began.INDOORS, Began.BEDROOM, Began.BATHROOM, Began.RESTING):
        one = limit_s(part, at[holed] + unseen_s[holed], np.full(len(holed), kind, dtype=np.int8), offset_s)
        usual[holed] = np.maximum(usual[holed], one)
    return usual


def limit_s(minutes: Minutes, at: Floats, began: Codes, zone_offset_s: "Floats | float") -> Floats:
    """float64 [silences]: the personal limit of each, seconds; inf = for ever, NaN = not known.

    Args:
        minutes: int16 [silences, kinds, halves], or [kinds, halves] for silences of one home.
        at: when each began, epoch seconds.
    """
    rows = np.arange(len(at))
    table = np.broadcast_to(minutes, (len(at), KINDS, HALVES)) if minutes.ndim == 2 else minutes
    found = table[rows, began, half_of_day(np.nan_to_num(at), zone_offset_s)]
    seconds = np.where(found == NEVER, np.inf, found * 60.0)
    return np.where((found == UNKNOWN) | np.isnan(at), np.nan, seconds)
