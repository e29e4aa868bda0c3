"""Carers who come to a home, what they do there, and what they log of it.

Each third home has them, once to three times a week for half an hour to an hour. Most tap when they come and when they
have left; some forget the second tap, some both. Now and then the resident goes out with them, or right behind, and
once in a season somebody whom a carer has just found well falls when the door has shut. All of it is drawn from a
stream of its own: homes without carers are what they were.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from core.model import Found
from simulator.season.mishaps import HOUR, Happening, Mishap, Truth
from simulator.season.track import OPEN
from simulator.season.weeks import Weeks

EVERY: Final = 3  # of so many homes one has carers
QUIET_DAYS: Final = 7  # no fall before it: detectors may learn
LOGGED: Final = 0.9  # of the visits
FORGOTTEN: Final = 0.1  # of these: when it ended
WELL: Final = 0.85  # of those who were met
GO_OUT: Final = 0.06  # with the carer or right behind
SAID: Final = 0.5  # of these, by a tick
CLEAR_S: Final = 2 * HOUR  # between a visit and what happens besides


@dataclass(frozen=True)
class CareVisit:
    """A carer in a home, from `start` to `end` (epoch seconds), and what they said of it.

    Attributes:
        tapped_at: when they said that they are there; None = never. left_at: that they have left; None = never.
        found: as they said it, None = they said nothing. together: they said that the resident went out with them.
        fell: the resident fell right after it.
    """

    home: int
    start: float
    end: float
    tapped_at: float | None
    left_at: float | None
    found: Found | None
    together: bool = False
    fell: bool = False


def has_carers(number: int) -> bool:
    """Whether carers come to home `number` (1, 2, 3 ...)."""
    return number % EVERY == 0


def receive_carers(weeks: Weeks, truth: Truth, rng: Generator) -> tuple[list[CareVisit], Truth]:
    """The carers' visits of these weeks, and the falls after them. What happens besides is left alone."""
    weekdays = rng.choice(7, size=int(rng.integers(1, 4)), replace=False)
    days = [day for day in range(weeks.days) if (weeks.first.weekday() + day) % 7 in weekdays]
    falls_after = float(weeks.dawn(int(rng.integers(QUIET_DAYS, max(weeks.days - 3, QUIET_DAYS + 1)))))
    visits: list[CareVisit] = []
    falls: Truth = []
    for day in days:
        start = weeks.dawn(day) + float(rng.uniform(5.5, 14)) * HOUR
        draws = rng.random(8)
        if not _free(truth + falls, start - CLEAR_S, start + 6 * HOUR):
            continue
        if not weeks.at_home(start):
            visits.append(_nobody_opens(weeks, start, draws))
            continue
        end = start + 1800 + 1800 * float(draws[0])
        fall = not falls and start > falls_after and _free(truth, start, start + 48 * HOUR) and day < weeks.days - 2
        visits.append(_visit(weeks, start, end, draws, rng, fell=fall))
        if fall:
            falls += _fall(weeks, end, rng)
    return visits, falls


def _free(truth: Truth, start: float, end: float) -> bool:
    return not any(one.start - CLEAR_S < end and start < one.end + CLEAR_S for one in truth)


def _nobody_opens(weeks: Weeks, start: float, draws: "np.typing.NDArray[np.float64]") -> CareVisit:
    """The carer has no key: no sensor sees anything."""
    end = start + 300
    if draws[1] >= LOGGED:
        return CareVisit(weeks.home.number, start, end, None, None, None)
    return CareVisit(weeks.home.number, start, end, start, end, Found.NOT_MET)


def _visit(
    weeks: Weeks, start: float, end: float, draws: "np.typing.NDArray[np.float64]", rng: Generator, *, fell: bool
) -> CareVisit:
    home = weeks.home
    for moment in (start, end):
        _door(weeks, moment, rng)
    for room, an_hour in (("living", 10.0), ("kitchen", 5.0), ("bathroom", 3.0), ("entry", 1.0)):
        moments = np.sort(rng.uniform(start + 60, end - 60, rng.poisson(an_hour * (end - start) / HOUR)))
        weeks.track.moves(home.named(f"{room}_motion"), moments)
    goes_out = not fell and draws[2] < GO_OUT
    if goes_out:
        _goes_out(weeks, end, rng)
    logged, forgotten = draws[1] < LOGGED, draws[3] < FORGOTTEN and not fell
    if not logged:
        return CareVisit(home.number, start, end, None, None, None, fell=fell)
    tapped_at = start + 300 * float(draws[4]) - 60
    if forgotten:
        return CareVisit(home.number, start, end, tapped_at, None, None, fell=fell)
    left_at = end + 360 * float(draws[5]) - 120
    found = Found.WELL if draws[6] < WELL else Found.NEEDS_ATTENTION
    together = bool(goes_out and draws[7] < SAID)
    return CareVisit(home.number, start, end, tapped_at, left_at, found, together, fell)


def _door(weeks: Weeks, moment: float, rng: Generator) -> None:
    door, hall = weeks.home.named("front_door"), weeks.home.named("entry_motion")
    weeks.track.moves(hall, np.array([moment - float(rng.uniform(5, 40)), moment + 5]))
    weeks.track.add((moment, door, OPEN, 1.0), (moment + 9, door, OPEN, 0.0))


def _goes_out(weeks: Weeks, end: float, rng: Generator) -> None:
    """With the carer, or up to five minutes later; an errand, seldom half a day."""
    leaves = end + float(rng.choice([0.0, rng.uniform(30, 300)]))
    if leaves > end:
        _door(weeks, leaves, rng)
    back = leaves + float(np.clip(rng.lognormal(np.log(1.3), 0.7), 0.4, 7)) * HOUR
    weeks.track.unseen(leaves + 30, back, bed=False)
    _door(weeks, back - 20, rng)


def _fall(weeks: Weeks, end: float, rng: Generator) -> Truth:
    """Somewhere where no radar looks, within a quarter of an hour of the carer's leaving."""
    start = end + float(rng.uniform(20, 900))
    found = start + float(rng.uniform(16, 40)) * HOUR
    weeks.track.unseen(start, found)
    _door(weeks, found - 25, rng)
    weeks.track.moves(weeks.home.named("living_motion"), np.array([found - 2]))
    return [Happening(weeks.home.number, Mishap.COLLAPSE.value, start, min(found, weeks.dawn(weeks.days)))]
