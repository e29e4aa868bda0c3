"""Quiet spells and how surprising they are, once more and slowly: one sign, one spell, one half hour at a time."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from alerts.detect.spells import Began

DAY = 86_400
Sign = tuple[float, bool, str, bool]  # time, exterior, room kind, resting right after it
Spell = tuple[float, float, Began]  # at, length, how it began
Activity = tuple[float, Began, int]  # half hour, how a silence would have begun, active bins
INDOORS = (Began.INDOORS, Began.BEDROOM, Began.BATHROOM)
DOOR = (Began.LEFT, Began.CAME, Began.DOOR_RESTING)


def began(signs: Sequence[Sign]) -> Began:
    """How the silence after the last of `signs` begins."""
    now, _, room, resting = signs[-1]
    door = max((time for time, exterior, _, _ in signs if exterior), default=None)
    inside = max((time for time, exterior, _, _ in signs if not exterior), default=None)
    at_door = door is not None and now - door <= 60
    if at_door and resting:
        return Began.DOOR_RESTING
    if resting:
        return Began.RESTING
    if at_door:
        assert door is not None
        return Began.LEFT if inside is not None and door - inside < 900 else Began.CAME
    if room in ("bathroom", "toilet"):
        return Began.BATHROOM
    return Began.BEDROOM if room == "bedroom" else Began.INDOORS


def spells(signs: Sequence[Sign]) -> list[Spell]:
    """Of half an hour and more."""
    found = []
    for place in range(len(signs) - 1):
        length = signs[place + 1][0] - signs[place][0]
        if length >= 1800:
            found.append((signs[place][0], length, began(signs[: place + 1])))
    return found


def seen(past: Sequence[Spell], holes: Sequence[tuple[float, float]]) -> tuple[list[Spell], list[Spell]]:
    """The spells that were seen from end to end, and those that a hole of more than half an hour cut off."""
    whole, cut = [], []
    for at, length, how in past:
        begins = [max(start, at) for start, end in holes if min(end, at + length) - max(start, at) > 1800]
        if not begins:
            whole.append((at, length, how))
        elif min(begins) - at >= 1800:
            cut.append((at, min(begins) - at, how))
    return whole, cut


def activity(signs: Sequence[Sign]) -> list[Activity]:
    """How often each half hour was active, by the last sign of each five minutes."""
    last: dict[int, int] = {}
    for place, sign in enumerate(signs):
        last[int(sign[0] // 300)] = place
    counts: dict[tuple[float, Began], int] = {}
    for place in last.values():
        key = (signs[place][0] // 1800 * 1800, began(signs[: place + 1]))
        counts[key] = counts.get(key, 0) + 1
    return sorted((half, how, bins) for (half, how), bins in counts.items())


class Surprise:
    """How surprising silences are, by a home's past."""

    def __init__(
        self,
        past: Sequence[Spell],
        active: Sequence[Activity],
        offset: float,
        newest: float | None = None,
        cut: Sequence[Spell] = (),
    ) -> None:
        """`newest`: the half hour from whose day back days lose weight; None = the last active one."""
        self.past, self.active, self.offset = [*past, *cut], active, offset
        self.ended = [True] * len(past) + [False] * len(cut)
        self.newest = max((half for half, _, _ in active), default=0.0) if newest is None else newest
        self.hazard = cache(self._hazard)

    def of(self, how: Began, half: int, length: float) -> float:
        """Of a silence that began so in this half hour of the day and has lasted for `length` seconds."""
        total = -math.log(self.share(how, half))
        if length < 1800:
            return total * length / 1800
        done = 1800.0
        while done < length:
            step = int(done // 1800)
            total += self.hazard(how, _age(step), (half + step) % 48) * min(1800, length - done) / 3600
            done += 1800
        return total

    def share(self, how: Began, half: int) -> float:
        group = next(group for group in (INDOORS, (Began.RESTING,), DOOR) if how in group)
        together = (sum(self._long(kind, half) for kind in group) + 0.5) / (
            sum(self._bins(kind, half) for kind in group) + 5
        )
        return min(max((self._long(how, half) + 5 * together) / (self._bins(how, half) + 5), 1e-4), 1.0)

    def _hazard(self, how: Began, age: int, half: int) -> float:
        return max(self._lean((how,), age, half, self._group(how)), 0.1)

    def _group(self, how: Began) -> tuple[Began, ...]:
        return next(group for group in (INDOORS, (Began.RESTING,), DOOR) if how in group)

    def _lean(self, kinds: tuple[Began, ...], age: int, half: int, others: tuple[Began, ...] | None) -> float:
        lean = 2.0 if age == 0 else self._lean(kinds, age - 1, half, others)
        if others is not None:
            lean = lean**0.9 * self._lean(others, age, half, None) ** 0.1
        ended = hours = 0.0
        for (at, length, how), whole in zip(self.past, self.ended, strict=True):
            if how not in kinds:
                continue
            for step in range(1, min(math.ceil(length / 1800), 96)):
                if _age(step) != age:
                    continue
                weight = self._weight(at) * _near((_half(at, self.offset) + step) % 48, half)
                left = length - step * 1800
                hours += weight * min(left, 1800) / 3600
                ended += weight * (left <= 1800 and whole)
        return (ended + 0.5 * lean) / (hours + 0.5)

    def _long(self, how: Began, half: int) -> float:
        return sum(self._weight(at) * _near(_half(at, self.offset), half) for at, _, kind in self.past if kind is how)

    def _bins(self, how: Began, half: int) -> float:
        return sum(
            bins * self._weight(at) * _near(_half(at, self.offset), half)
            for at, kind, bins in self.active
            if kind is how
        )

    def _weight(self, at: float) -> float:
        return math.exp2(-(_day(self.newest, self.offset) - _day(at, self.offset)) / 28)


def _age(step: int) -> int:
    return sum(step >= limit for limit in (2, 4, 8, 16, 32))


def _half(at: float, offset: float) -> int:
    return int((at + offset) % DAY // 1800)


def _near(half: int, other: int) -> float:
    apart = abs(half - other)
    hours = min(apart, 48 - apart) / 2
    return math.exp(-0.5 * hours**2)


def surprises(past: Sequence[Spell], active: Sequence[Activity], offset: float) -> list[float]:
    """How surprising each spell of the past was by what the other days teach."""
    newest = max(half for half, _, _ in active)
    found = []
    for at, length, how in past:
        others = [spell for spell in past if _day(spell[0], offset) != _day(at, offset)]
        bins = [one for one in active if _day(one[0], offset) != _day(at, offset)]
        known = Surprise(others, bins, offset, newest)
        found.append(known.of(how, _half(at, offset), min(length, 2 * DAY)))
    return found


def tail(
    past: Sequence[Spell], active: Sequence[Activity], offset: float, at_door: bool
) -> tuple[float, float, float, int]:
    """(excesses a day, shape, scale, days) of the silences that began at the door, or indoors."""
    newest, oldest = max(half for half, _, _ in active), min(half for half, _, _ in active)
    days = _day(newest, offset) - _day(oldest, offset) + 1
    excesses = [
        surprise - 4 if at_door else min(surprise - 4, 4)
        for surprise, (_, _, how) in zip(surprises(past, active, offset), past, strict=True)
        if surprise > 4 and (how in DOOR) is at_door
    ]
    bins = sum(bins for _, how, bins in active if (how in DOOR) is at_door)
    expected = bins / days * math.exp(-4)
    return (len(excesses) + 7 * expected) / (days + 7), 10 + len(excesses), 10 + sum(excesses), days


def alike(past: Sequence[Spell], offset: float, how: Began, hour: int) -> tuple[int, int, int]:
    """(how many spells began so near this hour, how many of them were no longer than), in minutes."""
    near = []
    for at, length, kind in past:
        apart = abs((at + offset) % DAY / 3600 - (hour + 0.5))
        if kind is how and min(apart, 24 - apart) <= 1.5:
            near.append(math.ceil(length / 60))
    near.sort()
    told = len(near) - 1 if len(near) >= 10 else len(near)
    return (len(near), told, near[told - 1]) if near else (0, 0, 0)


def holes(quarters: Sequence[float]) -> list[tuple[float, float]]:
    """Spans of more than half an hour without a word, of a home that speaks in 95 of 100 quarters."""
    if len(quarters) < 2 or len(quarters) / ((quarters[-1] - quarters[0]) // 900 + 1) < 0.95:
        return []
    return [(one + 900, other) for one, other in pairwise(quarters) if other - one - 900 > 1800]


def _day(at: float, offset: float) -> int:
    return int((at + offset) // DAY)
