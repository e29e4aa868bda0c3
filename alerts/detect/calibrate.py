"""From the operator's budget to a threshold: how surprising a silence must be, so that at most one in N days is.

Each day of the home's past is judged by what the other days teach (one day left out), as if it were new. The
surprises beyond `BEYOND` that come out are how often the home surprises us and by how much; if the tables were
exactly right, every further step of 1 would be 1/e as frequent. How fast they really thin out is learned (a gamma
prior on the rate of an exponential tail), and the threshold is where the *predictive* rate meets the budget: with few
days it lies further out. Peaks over threshold: Coles, An Introduction to Statistical Modeling of Extreme Values, 4.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect import hazard
from alerts.detect.arrays import Floats
from alerts.detect.hazard import Counts, half_of_day
from alerts.detect.memory import Memory
from alerts.detect.spells import DOOR

BEYOND: Final = 4.0
PRIOR_EXCESSES: Final = 10.0  # so many excesses is the prior worth
PRIOR_MEAN: Final = 1.0  # how much they exceed by: as exact tables would
ODD: Final = 4.0  # an excess indoors counts for no more: one odd day must not blind us for weeks
PRIOR_DAYS: Final = 7.0  # so many days is what exact tables would say about their rate worth


@dataclass(frozen=True)
class Tail:
    """How often, and by how much, a home surprises.

    Attributes:
        a_day: excesses over BEYOND a day.
        shape, scale: of the predictive (Lomax) tail: share beyond BEYOND + x is (1 + x / scale) ** -shape.
        days: days that it was learned from.
    """

    a_day: float
    shape: float
    scale: float
    days: int

    def threshold(self, budget_days: float) -> float:
        """The surprise that is met once in `budget_days`, as far as we can tell."""
        often = max(self.a_day * budget_days, 1.0)
        return float(BEYOND + self.scale * (often ** (1 / self.shape) - 1))

    def rate(self, threshold: float) -> float:
        """How often a day a silence is more surprising than `threshold`, as far as we can tell."""
        return float(self.a_day * (1 + max(threshold - BEYOND, 0.0) / self.scale) ** -self.shape)


def tails(memory: Memory, counts: Counts, zone_offset_s: float) -> tuple[Tail, Tail]:
    """The tails of a home's past, each day judged by the others: of silences that began indoors, and at the door."""
    at_door = np.isin(memory.spells.began, DOOR)
    bins_at_door = np.isin(memory.half_began, DOOR)
    excess = surprises(memory, counts, zone_offset_s) - BEYOND
    inside, door = (
        _tail(np.minimum(excess[mine & (excess > 0)], most), float(memory.bins[bins].sum()), counts.days)
        for mine, bins, most in ((~at_door, ~bins_at_door, ODD), (at_door, bins_at_door, np.inf))
    )
    return inside, door


def _tail(excess: Floats, bins: float, days: int) -> Tail:
    expected = bins / max(days, 1) * np.exp(-BEYOND)
    return Tail(
        a_day=(len(excess) + PRIOR_DAYS * expected) / (days + PRIOR_DAYS),
        shape=PRIOR_EXCESSES + len(excess),
        scale=PRIOR_EXCESSES * PRIOR_MEAN + float(excess.sum()),
        days=days,
    )


def surprises(memory: Memory, counts: Counts, zone_offset_s: float) -> Floats:
    """float64 [spells]: how surprising each spell of the past was, its own day left out."""
    if not len(memory.spells):
        return np.zeros(0)
    known = hazard.learn(counts, without=np.arange(counts.days))
    began = memory.spells.began
    grown = hazard.grown(known, counts.spell_day, began, half_of_day(memory.spells.at, zone_offset_s))
    return hazard.surprise_at(grown, memory.spells.length_s)
