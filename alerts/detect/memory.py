"""What is kept of a home's past, so that its limits can be learned again each night without reading it all anew.

Two things: its quiet spells of half an hour and more, and how often in each half hour it was active at all (in how
many five-minute bins, and how a silence would have begun there). Both are counted over `MEMORY_DAYS`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats, Ints
from alerts.detect.spells import Codes, Signs, Spells, beginnings, spells_of
from alerts.detect.visits import NO_VISITS, Past, carers_signs, undisturbed_s, untaught

DAY_S: Final = 86_400.0
HALF_S: Final = 1800.0  # shorter spells are only counted, as activity
BIN_S: Final = 300.0
MEMORY_DAYS: Final = 56
HOLE_S: Final = 1800.0  # of a spell with a longer hole in what was received only the time before it is known
LATE_S: Final = DAY_S  # so far back the past is learned again: what came late is then in it
CONTEXT_S: Final = DAY_S  # and so much more is read, to know how the first of these spells began


@dataclass(frozen=True)
class Memory:
    """A home's past until `until`.

    Attributes:
        spells: its finished quiet spells of at least HALF_S that were seen from end to end.
        cut: those that a hole or a carer cut off, as long as they had lasted then, at least HALF_S. Long spells are cut
            more often than short ones: without them a home with holes would look livelier than it is.
        half_at: float64 [rows], start of a half hour, epoch seconds, rising.
        half_began: int8 [rows], how a silence would have begun there, see `Began`.
        bins: int64 [rows], in how many of its five-minute bins the last sign of life was such a one.
        last_at: the last sign of life; NaN = none yet. The spell that it began still runs.
        first_at: the first sign of life that was ever seen; NaN = none yet.
        until: epoch seconds; nothing later is in it.
    """

    spells: Spells
    cut: Spells
    half_at: Floats
    half_began: Codes
    bins: Ints
    last_at: float
    first_at: float
    until: float

    @property
    def days(self) -> float:
        """How many days of life it holds; 0 = none."""
        if np.isnan(self.first_at):
            return 0.0
        return min((self.until - self.first_at) / DAY_S, float(MEMORY_DAYS))


NONE: Final = Spells(np.zeros(0), np.zeros(0), np.zeros(0, np.int8))
EMPTY: Final = Memory(
    spells=NONE,
    cut=NONE,
    half_at=np.zeros(0),
    half_began=np.zeros(0, np.int8),
    bins=np.zeros(0, np.int64),
    last_at=np.nan,
    first_at=np.nan,
    until=-np.inf,
)


def read_from(before: Memory, until: float) -> float:
    """From when on signs of life must be read to bring a memory up to `until`, epoch seconds."""
    return max(_settled(before) - CONTEXT_S, until - MEMORY_DAYS * DAY_S)


def _settled(before: Memory) -> float:
    """What is older is remembered for good; what came late since, and the spell that ran on, is learned again."""
    settled = before.until - LATE_S
    return settled if np.isnan(before.last_at) else min(settled, before.last_at)


def remember(before: Memory, signs: Signs, until: float, holes: Floats, visits: Past = NO_VISITS) -> Memory:
    """The memory at `until`: what was settled, and all that `signs` say of the time since.

    Args:
        signs: the home's signs of life from `read_from(before, until)` on; later than `until` is left out.
        holes: float64 [holes, 2], from and to, in which nothing was received from the home.
        visits: when carers were there; what moved then teaches nothing.
    """
    signs = signs.before(until)
    keep = _settled(before)
    oldest = until - MEMORY_DAYS * DAY_S
    found = spells_of(signs, HALF_S)
    fresh = found.take(found.at >= keep)
    seen_s = np.minimum(_seen_s(fresh, holes), undisturbed_s(visits, fresh))
    whole = (seen_s == fresh.length_s) & ~untaught(visits, fresh)
    off = Spells(fresh.at, seen_s, fresh.began).take(~whole & (seen_s >= HALF_S))
    half_at, half_began, bins = _activity(signs, visits)
    half = np.floor(keep / HALF_S) * HALF_S
    new, kept = half_at >= half, (before.half_at < half) & (before.half_at >= oldest)
    return Memory(
        spells=_between(before.spells, oldest, keep).then(fresh.take(whole)),
        cut=_between(before.cut, oldest, keep).then(off),
        half_at=np.append(before.half_at[kept], half_at[new]),
        half_began=np.append(before.half_began[kept], half_began[new]),
        bins=np.append(before.bins[kept], bins[new]),
        last_at=float(signs.time[-1]) if len(signs) else before.last_at,
        first_at=before.first_at if not np.isnan(before.first_at) or not len(signs) else float(signs.time[0]),
        until=until,
    )


def _between(spells: Spells, start: float, end: float) -> Spells:
    return spells.take((spells.at >= start) & (spells.at < end))


def _seen_s(spells: Spells, holes: Floats) -> Floats:
    """float64 [spells]: how long each was seen before the first hole of more than HOLE_S in it, or to its end."""
    if not len(holes):
        return spells.length_s
    begins = np.maximum(spells.at[:, None], holes[:, 0])
    overlap = np.minimum(spells.at[:, None] + spells.length_s[:, None], holes[:, 1]) - begins
    first = np.where(overlap > HOLE_S, begins, np.inf).min(axis=1)
    return np.asarray(np.minimum(spells.length_s, first - spells.at), dtype=np.float64)


def _activity(signs: Signs, visits: Past) -> tuple[Floats, Codes, Ints]:
    """The active five-minute bins, counted by half hour and by how a silence after their last sign would begin.

    A bin whose last sign may be a carer's is not counted.
    """
    of_bin = signs.time // BIN_S
    last = np.flatnonzero(np.append(of_bin[1:] != of_bin[:-1], True)) if len(signs) else np.zeros(0, np.intp)
    last = last[~carers_signs(visits, signs.time[last])]
    half = (signs.time[last] // HALF_S).astype(np.int64)
    keys, bins = np.unique(half * 16 + beginnings(signs)[last], return_counts=True)
    return keys // 16 * HALF_S, (keys % 16).astype(np.int8), bins.astype(np.int64)
