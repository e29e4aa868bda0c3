"""Quiet spells and how surprising they are, once more and slowly: one sign, one spell, one half hour at a time."""

import math
from collections.abc import Sequence
from functools import cache

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

    def __init__(self, past: Sequence[Spell], active: Sequence[Activity], offset: float) -> None:
        self.past, self.active, self.offset = past, active, offset
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
        for at, length, how in self.past:
            if how not in kinds:
                continue
            for step in range(1, min(math.ceil(length / 1800), 96)):
                if _age(step) != age:
                    continue
                weight = self._weight(at) * _near((_half(at, self.offset) + step) % 48, half)
                left = length - step * 1800
                hours += weight * min(left, 1800) / 3600
                ended += weight * (left <= 1800)
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
        newest = max((half for half, _, _ in self.active), default=0.0)
        return math.exp2(-((newest + self.offset) // DAY - (at + self.offset) // DAY) / 28)


def _age(step: int) -> int:
    return sum(step >= limit for limit in (2, 4, 8, 16, 32))


def _half(at: float, offset: float) -> int:
    return int((at + offset) % DAY // 1800)


def _near(half: int, other: int) -> float:
    apart = abs(half - other)
    hours = min(apart, 48 - apart) / 2
    return math.exp(-0.5 * hours**2)
