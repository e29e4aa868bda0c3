"""How likely it is that a quiet spell ends in the next half hour: by how it began, how old it is, and the clock.

The *hazard* h(began, age, clock) is the number of endings per hour of silence. It is counted on the home's own
past, smoothed over the clock, and where little was seen it leans on what is known next best: a younger age at the same
clock, the spells that began otherwise, and at last one figure for all homes. Its integral over a silence is the
*surprise* of that silence: the expected number of signs of life that were missed, which is minus the logarithm of the
share of spells that last so long. The first half hour counts too: how rarely a moment of activity is followed by half
an hour of silence at all.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect.arrays import Floats
from alerts.detect.memory import DAY_S, HALF_S, Memory
from alerts.detect.spells import DOOR, Began, Codes

Halves = NDArray[np.int64]

HALVES: Final = 48  # half hours of the day
STEPS: Final = 96  # half hours of a spell's age: two days
KINDS: Final = len(Began)
# Ages are alike within doublings: from half an hour, 1, 2, 4, 8 and 16 hours on.
AGE_OF_STEP: Final = np.searchsorted(np.array([2, 4, 8, 16, 32]), np.arange(STEPS), side="right")
AGES: Final = int(AGE_OF_STEP.max()) + 1
# Spells that may say something about each other: indoors; on a bed or seat; at the door.
GROUPS: Final = (
    (Began.INDOORS, Began.BEDROOM, Began.BATHROOM),
    (Began.RESTING,),
    DOOR,
)

# The few constants. docs/detection.md says how little the figures depend on each.
CLOCK_HOURS: Final = 1.0  # width of the smoothing over the clock, standard deviation
HALF_LIFE_DAYS: Final = 28.0  # a day so long ago counts half
FIRST_HAZARD: Final = 2.0  # endings per hour of a spell of half an hour, before anything is known
HAZARD_HOURS: Final = 0.5  # hours of silence that the younger age, or the first figure, is worth
OTHERS: Final = 0.1  # how far a way of beginning leans on the others of its group rather than on its own younger age
LEAST_HAZARD: Final = 0.1  # nobody's spell lasts for ever: one ending in ten hours
FIRST_SHARE: Final = 0.1  # of active bins that are followed by half an hour of silence, before anything is known
SHARE_BINS: Final = 5.0  # active bins that this is worth
LEAST_SHARE: Final = 1e-4


def _kernel() -> Floats:
    apart = np.abs(np.arange(HALVES)[:, None] - np.arange(HALVES)[None, :])
    hours = np.minimum(apart, HALVES - apart) * HALF_S / 3600
    return np.asarray(np.exp(-0.5 * (hours / CLOCK_HOURS) ** 2), dtype=np.float64)


KERNEL: Final = _kernel()


@dataclass(frozen=True)
class Counts:
    """A home's past, counted by day, so that a day can be left out.

    Attributes:
        days: how many local days; day 0 is that of the last sign of life.
        ended, hours: float64 [days, kinds, ages, halves]: spells that ended, hours of silence, smoothed and weighted.
        long, bins: float64 [days, kinds, halves]: spells of half an hour and more that began, active bins; likewise.
        spell_day: int64 [spells]: the day of each whole spell of the past.
    """

    days: int
    ended: Floats
    hours: Floats
    long: Floats
    bins: Floats
    spell_day: Halves


@dataclass(frozen=True)
class Surprise:
    """Tables to look a silence's surprise up in.

    Attributes:
        share: float64 [..., kinds, halves]: share of active bins that are followed by half an hour of silence.
        hazard: float64 [..., kinds, ages, halves]: endings per hour.
    """

    share: Floats
    hazard: Floats


def count(memory: Memory, zone_offset_s: float) -> Counts:
    """Counts a past. `zone_offset_s`: the home's zone, seconds east of UTC.

    A spell that a hole cut off counts for as long as it was seen, and not as ended (censoring: Kalbfleisch and
    Prentice, The Statistical Analysis of Failure Time Data, 1).
    """
    spells = memory.spells.then(memory.cut)
    whole = np.arange(len(spells)) < len(memory.spells)
    # Days are counted back from the last sign of life: a silence that still runs changes nothing of what is known.
    spell_day, half_day = _day(spells.at, zone_offset_s), _day(memory.half_at, zone_offset_s)
    newest = int(half_day.max(initial=0))
    spell_ago, half_ago = newest - spell_day, newest - half_day
    days = int(max(spell_ago.max(initial=-1), half_ago.max(initial=-1))) + 1
    ended, hours = np.zeros((2, days, KINDS, AGES, HALVES))
    long, bins = np.zeros((2, days, KINDS, HALVES))
    # Each spell is a row of steps of half an hour, the last one cut off where it ended.
    steps = np.minimum(np.ceil(spells.length_s / HALF_S).astype(np.int64), STEPS)
    spell = np.repeat(np.arange(len(spells)), steps)
    step = np.arange(len(spell)) - np.repeat(np.cumsum(steps) - steps, steps)
    later = step >= 1  # the first half hour is what `long` and `bins` tell
    spell, step = spell[later], step[later]
    half = half_of_day(spells.at, zone_offset_s)
    place = (spell_ago[spell], spells.began[spell], AGE_OF_STEP[step], (half[spell] + step) % HALVES)
    left_s = spells.length_s[spell] - step * HALF_S
    np.add.at(hours, place, np.minimum(left_s, HALF_S) / 3600)
    np.add.at(ended, place, ((left_s <= HALF_S) & whole[spell]).astype(np.float64))
    np.add.at(long, (spell_ago, spells.began, half), 1.0)
    np.add.at(bins, (half_ago, memory.half_began, half_of_day(memory.half_at, zone_offset_s)), memory.bins)
    weight = 0.5 ** (np.arange(days) / HALF_LIFE_DAYS)
    by_day = weight[:, None, None]
    return Counts(
        days=days,
        ended=(ended @ KERNEL) * by_day[..., None],
        hours=(hours @ KERNEL) * by_day[..., None],
        long=(long @ KERNEL) * by_day,
        bins=(bins @ KERNEL) * by_day,
        spell_day=spell_ago[whole],
    )


def _day(at: Floats, zone_offset_s: float) -> Halves:
    return np.floor((at + zone_offset_s) / DAY_S).astype(np.int64)


def half_of_day(at: Floats, zone_offset_s: "Floats | float") -> Halves:
    """int64: the half hour of the local day that a moment lies in."""
    return np.asarray(((at + zone_offset_s) % DAY_S) // HALF_S, dtype=np.int64)


def learn(counts: Counts, without: "Halves | None" = None) -> Surprise:
    """Tables from counts.

    Args:
        without: int64 [tables]: leave one of these days out of each table, and give the tables a first axis.
    """

    def total(by_day: Floats) -> Floats:
        whole: Floats = by_day.sum(axis=0)
        return whole if without is None else np.asarray(whole[None] - by_day[without])

    ended, hours, long, bins = (total(one) for one in (counts.ended, counts.hours, counts.long, counts.bins))
    hazard, share = np.empty_like(hours), np.empty_like(long)
    for group in GROUPS:
        kinds = list(group)
        of_group = _by_age(
            ended[..., kinds, :, :].sum(-3)[..., None, :, :], hours[..., kinds, :, :].sum(-3)[..., None, :, :]
        )
        hazard[..., kinds, :, :] = _by_age(ended[..., kinds, :, :], hours[..., kinds, :, :], of_group)
        together = (long[..., kinds, :].sum(-2) + SHARE_BINS * FIRST_SHARE) / (bins[..., kinds, :].sum(-2) + SHARE_BINS)
        share[..., kinds, :] = (long[..., kinds, :] + SHARE_BINS * together[..., None, :]) / (
            bins[..., kinds, :] + SHARE_BINS
        )
    return Surprise(np.clip(share, LEAST_SHARE, 1.0), np.maximum(hazard, LEAST_HAZARD))


def _by_age(ended: Floats, hours: Floats, others: "Floats | None" = None) -> Floats:
    """Endings per hour [..., ages, halves]: each age leans on the younger one, and a little on what `others` do."""
    hazard = np.empty_like(hours)
    lean = np.full_like(hours[..., 0, :], FIRST_HAZARD)
    for age in range(AGES):
        if others is not None:
            lean = lean ** (1 - OTHERS) * others[..., age, :] ** OTHERS
        lean = (ended[..., age, :] + HAZARD_HOURS * lean) / (hours[..., age, :] + HAZARD_HOURS)
        hazard[..., age, :] = lean
    return hazard


def grown(known: Surprise, tables: "Halves | None", began: Codes, half: Halves) -> Floats:
    """float64 [silences, STEPS + 1]: the surprise of each silence at the end of each half hour of its age.

    Args:
        tables: which of the tables judges each silence, where there is more than one.
        began, half: how and in which half hour of the day each silence began.
    """
    pick = () if tables is None else (tables,)
    kind, steps = began.astype(np.int64), np.arange(1, STEPS)[None, :]
    rows = tuple(one[:, None] for one in (*pick, kind))
    hazard = known.hazard[(*rows, AGE_OF_STEP[steps], (half[:, None] + steps) % HALVES)]
    surprise = np.zeros((len(began), STEPS + 1))
    surprise[:, 1:] = -np.log(known.share[(*pick, kind, half)])[:, None]
    surprise[:, 2:] += np.cumsum(hazard, axis=1) * (HALF_S / 3600)
    return surprise


def surprise_at(grown_to: Floats, length_s: Floats) -> Floats:
    """float64 [silences]: the surprise at each silence's own length, between two half hours a straight line."""
    age = np.minimum(length_s / HALF_S, STEPS - 1e-9)
    step = age.astype(np.int64)
    rows = np.arange(len(length_s))
    return np.asarray(
        grown_to[rows, step] * (1 - (age - step)) + grown_to[rows, step + 1] * (age - step), dtype=np.float64
    )


def length_at(grown_to: Floats, surprise: "Floats | float") -> Floats:
    """float64 [silences]: the length in seconds at which a silence becomes so surprising; inf = not in two days."""
    wanted = np.broadcast_to(np.asarray(surprise, dtype=np.float64), (len(grown_to),))
    step = np.clip((grown_to < wanted[:, None]).sum(axis=1), 1, STEPS)
    rows = np.arange(len(grown_to))
    low, high = grown_to[rows, step - 1], grown_to[rows, step]
    part = np.clip((wanted - low) / np.maximum(high - low, 1e-12), 0, 1)
    return np.where(grown_to[:, -1] < wanted, np.inf, (step - 1 + part) * HALF_S)
